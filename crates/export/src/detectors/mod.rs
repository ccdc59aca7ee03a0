//! How each detector scores, as a graph.

mod ckaad;
mod deep_sad;
mod devnet;
mod differnet;
mod dra;
mod fastflow;
mod fusion;
mod gaussian;
mod padim;
mod patchcore;
mod prenet;
mod probe;
mod rdpp;
mod recontrast;

use ckaad_anomaly_map::{Align, AnomalyMapper};
use ckaad_auto_encoder::Norm;
use ckaad_backbone::BackboneConfig;
use ckaad_detectors::DetectorSettings;

use crate::ExportError;
use crate::blocks::Scale;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// What a detector sees.
pub(crate) struct Inputs<'a> {
    /// `[N, 3, image_size, image_size]`, normalised.
    pub(crate) images: Value,
    /// The features of the images, fine to coarse.
    pub(crate) features: &'a [Scale],
    /// The network that they come from.
    pub(crate) backbone: &'a BackboneConfig,
    /// Its parameters, for detectors that run it on images of their own.
    pub(crate) weights: Weights<'a>,
    /// Side of the images in pixels.
    pub(crate) image_size: usize,
}

impl Inputs<'_> {
    /// What brings maps to the size of the images.
    fn mapper(&self, align: Align) -> AnomalyMapper {
        AnomalyMapper {
            align,
            ..AnomalyMapper::new(self.image_size, self.image_size)
        }
    }

    /// Pixels of an image.
    fn pixels(&self) -> usize {
        self.image_size * self.image_size
    }
}

/// What a detector says of images.
#[derive(Clone, Copy)]
pub(crate) struct Scored {
    /// `[N]`
    pub(crate) score: Value,
    /// `[N, image_size, image_size]`, if it has maps.
    pub(crate) map: Option<Value>,
}

/// Draws what the detector of those settings and parameters makes of the inputs.
pub(crate) fn draw(
    graph: &mut Graph,
    settings: &DetectorSettings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    match settings {
        DetectorSettings::Ckaad(settings) => {
            ckaad::draw(graph, settings.norm, settings.image_score, inputs, weights)
        }
        DetectorSettings::Rd4ad(settings) => {
            ckaad::draw(graph, Norm::Batch, settings.image_score, inputs, weights)
        }
        DetectorSettings::Gaussian(_) => gaussian::draw(graph, inputs, weights),
        DetectorSettings::PatchCore(settings) => patchcore::draw(graph, settings, inputs, weights),
        DetectorSettings::Padim(settings) => padim::draw(graph, settings, inputs, weights),
        DetectorSettings::Probe(settings) => probe::draw(graph, settings, inputs, weights),
        DetectorSettings::DeepSad(settings) => deep_sad::draw(graph, settings, inputs, weights),
        DetectorSettings::DevNet(_) => devnet::draw(graph, inputs, weights),
        DetectorSettings::PReNet(settings) => prenet::draw(graph, settings, inputs, weights),
        DetectorSettings::Dra(_) => dra::draw(graph, inputs, weights),
        DetectorSettings::Rdpp(settings) => rdpp::draw(graph, settings, inputs, weights),
        DetectorSettings::ReContrast(settings) => {
            recontrast::draw(graph, settings, inputs, weights)
        }
        DetectorSettings::FastFlow(_) => fastflow::draw(graph, inputs, weights),
        DetectorSettings::DifferNet(settings) => differnet::draw(graph, settings, inputs, weights),
        DetectorSettings::Fusion(settings) => fusion::draw(graph, settings, inputs, weights),
        DetectorSettings::Ganomaly(_)
        | DetectorSettings::AeFlow(_)
        | DetectorSettings::Draem(_)
        | DetectorSettings::DestSeg(_)
        | DetectorSettings::Dmad(_)
        | DetectorSettings::D3ad(_)
        | DetectorSettings::AaBigan(_) => Err(ExportError::NoGraph {
            detector: settings.name(),
        }),
    }
}
