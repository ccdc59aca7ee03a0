//! From pictures to scores: [`Predictor`] is the one way, for single pictures and for files.

mod map_picture;
mod model_file;
mod output_names;
mod predict_files;
mod predictor;
pub(crate) mod results_folder;
mod table;

pub use map_picture::RawMap;
pub use model_file::{MapInfo, ModelInfo, Preprocessing};
pub use predict_files::{PredictOptions, Prediction, predict_files};
pub use predictor::Predictor;
pub(crate) use table::{decision, number, write_table};
