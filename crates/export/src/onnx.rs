use ckaad_engine::Predictor;
use prost::Message;

use crate::ExportError;
use crate::blocks::backbone::backbone;
use crate::blocks::layer::convolution;
use crate::detectors::{Inputs, draw};
use crate::graph::{Dim, Element, Graph};
use crate::metadata::metadata;
use crate::preprocessing::preprocessed;
use crate::weights::Weights;

/// Largest size in bytes of a message of Protocol Buffers.
const LIMIT: u64 = (2 << 30) - 1;

/// What a graph takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// `images`: `[N, 3, image_size, image_size]` of floats, resized and normalised as the metadata say.
    Images,
    /// `pictures`: `[N, H, W, 3]` of bytes, red, green, blue, of any one size.
    Pictures,
}

impl Input {
    /// The name of the input.
    pub fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Pictures => "pictures",
        }
    }
}

/// The bytes of an ONNX file that scores as the model does, in single precision. Its outputs are `score` `[N]` and, where the detector makes
/// maps, `map` `[N, image_size, image_size]`; N is any number. What the model says of itself besides is in the metadata.
///
/// # Errors
/// [`ExportError::TooLarge`] if the parameters do not fit in a file; [`ExportError::Parameter`] if the model is not what its settings say.
pub fn onnx(predictor: &Predictor, input: Input) -> Result<Vec<u8>, ExportError> {
    let info = predictor.info();
    let size = info.config.image_size;
    let mut graph = Graph::default();
    let batch = Dim::Any("N");
    let side = Dim::Fixed(size);
    let images = match input {
        Input::Images => {
            let shape = [batch, Dim::Fixed(3), side, side];
            graph.input(input.name(), Element::Float, &shape)
        }
        Input::Pictures => {
            let shape = [batch, Dim::Any("H"), Dim::Any("W"), Dim::Fixed(3)];
            let pictures = graph.input(input.name(), Element::Byte, &shape);
            preprocessed(&mut graph, pictures, size)
        }
    };
    let tensors = predictor.backbone().parameters();
    let weights = Weights::new("backbone", &tensors);
    let config = predictor.backbone().config();
    let features = backbone(&mut graph, config, size, &weights, convolution, images)?;
    let parameters = predictor.detector().parameters();
    let inputs = Inputs {
        images,
        features: &features,
        backbone: config,
        weights,
        image_size: size,
    };
    let detector = Weights::new("detector", &parameters);
    let scored = draw(&mut graph, &info.config.detector, &inputs, &detector)?;
    graph.output("score", scored.score, &[batch]);
    if let Some(map) = scored.map {
        graph.output("map", map, &[batch, side, side]);
    }
    let file = graph.finish(&info.version, metadata(info, input));
    let bytes = file.encoded_len() as u64;
    if bytes > LIMIT {
        return Err(ExportError::TooLarge {
            bytes,
            limit: LIMIT,
            detector: info.config.detector.name(),
        });
    }
    Ok(file.encode_to_vec())
}
