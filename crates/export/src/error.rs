use ckaad_detectors::DetectorError;
use ckaad_parameters::ParameterError;

/// Why a model cannot be written in another form, or why what was written is not good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The detector's model lacks a parameter, or has it in another shape.
    #[error("the model has no parameter {name} of the shape that its settings ask for")]
    Parameter {
        /// Its name, and what was expected of it.
        name: String,
    },
    /// The detector has no graph here.
    #[error(
        "a model of the detector {detector}, which works on pixels, cannot be written as an ONNX graph; all detectors on features can"
    )]
    NoGraph {
        /// The detector.
        detector: &'static str,
    },
    /// The file would be larger than the format allows.
    #[error(
        "the graph of this {detector} model would take {bytes} bytes, and no ONNX file holds more than {limit}: train it for smaller images or with fewer parameters"
    )]
    TooLarge {
        /// Bytes that it would take.
        bytes: u64,
        /// Bytes that a file may have.
        limit: u64,
        /// The detector.
        detector: &'static str,
    },
    /// The model is of a system without an auto-encoder.
    #[error(
        "a model of the detector {detector} has no auto-encoder to exchange with PyTorch; that of ckaad and rd4ad has"
    )]
    NoAutoEncoder {
        /// The detector.
        detector: &'static str,
    },
    /// Parameters from PyTorch do not fit the model.
    #[error("these are not the parameters of the model's auto-encoder")]
    Torch(#[source] ParameterError),
    /// The state of a training or the parameters of a detector do not fit.
    #[error(transparent)]
    Detector(#[from] DetectorError),
    /// The graph that was written cannot be run.
    #[error("the graph that was written does not run")]
    Run(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is nothing to compare on.
    #[error("a graph is verified on at least one image")]
    NoImages,
}
