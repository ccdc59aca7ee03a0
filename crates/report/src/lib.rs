//! Results of anomaly detection as one HTML file that needs nothing else, and its plots as SVG files.
//!
//! Takes plain data and gives text: [`run_page`] for a run on its test images, [`comparison_page`] for several detectors,
//! [`benchmark_page`] for runs on several sets of images. What is missing
//! (masks, one kind of images, calibration, maps) is said where it would have been. Every text is escaped, and the page's own policy
//! forbids it to load anything or to run any other script than its own.
//!
//! ```
//! use ckaad_report::{RunData, ScoredImage, run_page};
//!
//! let image = |path: &str, anomalous, score| ScoredImage {
//!     path: path.to_owned(),
//!     class: if anomalous { "scratch" } else { "good" }.to_owned(),
//!     anomalous,
//!     score,
//!     p_value: None,
//! };
//! let data = RunData {
//!     title: "tiles".to_owned(),
//!     images: vec![image("a.png", false, 0.1), image("<b>.png", true, 0.7)],
//!     ..RunData::default()
//! };
//! let page = run_page(&data);
//! assert!(page.html.contains("&lt;b&gt;.png") && !page.html.contains("<b>.png"));
//! assert!(page.plots.iter().any(|plot| plot.name == "roc"));
//! ```

mod benchmark;
mod choice;
mod comparison;
mod curves;
mod numbers;
mod page;
mod picture;
mod plot;
mod run;

pub use benchmark::{BenchmarkData, Group};
pub use choice::{Choice, choose};
pub use comparison::{ComparisonData, Contestant, Exhibit, Scores, Verdict};
pub use page::decisions::breaks_promise;
pub use page::{Page, PlotFile, benchmark_page, comparison_page, run_page};
pub use picture::{Line, PictureError, Shot, Shrunk, indexed_png, shrink};
pub use run::{
    Account, Epoch, Fact, Figure, Gallery, ImageList, Legend, ModelFigures, RunData, ScoredImage,
    ThresholdData,
};
