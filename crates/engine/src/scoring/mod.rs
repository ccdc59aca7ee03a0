//! From pictures to scores: [`Predictor`] is the one way, for single pictures and for files.

mod colour_map;
mod heat_scale;
mod map_picture;
pub(crate) mod model_file;
mod outline;
mod output_names;
mod outputs;
mod predict_files;
mod predictor;
mod regions;
pub(crate) mod results_folder;
mod score_files;
mod table;

pub use colour_map::ColourMap;
pub use heat_scale::{HeatScale, HeatStyle};
pub use map_picture::RawMap;
pub use model_file::{MapInfo, ModelInfo, Preprocessing};
pub use outline::{Grid, Outline};
pub use predict_files::{BATCH, PredictOptions, Prediction, predict_files};
pub use predictor::Predictor;
pub use regions::{Peak, Region, Regions};
pub use score_files::{ScoredFiles, model_path, score_files};
pub(crate) use table::{decision, number, original, write_table};
