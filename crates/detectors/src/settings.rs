use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    System, aa_bigan, ae_flow, ckaad, d3ad, deep_sad, destseg, devnet, differnet, dmad, dra, draem,
    fastflow, fusion, ganomaly, gaussian, padim, patchcore, prenet, probe, rd4ad, rdpp, recontrast,
};

macro_rules! systems {
    ($($(#[$doc:meta])* $variant:ident = $name:literal: $settings:ty,)+) => {
        /// The table `[detector]` of a configuration: which system, and its settings. Those of one system stand in no other's
        /// way.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "name")]
        pub enum DetectorSettings {
            $($(#[$doc])* #[serde(rename = $name)] $variant($settings),)+
        }

        impl DetectorSettings {
            /// The names of all systems.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The system's name.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)+ }
            }
        }

        impl Deref for DetectorSettings {
            type Target = dyn System;

            fn deref(&self) -> &Self::Target {
                match self { $(Self::$variant(settings) => settings,)+ }
            }
        }
    };
}

systems! {
    /// Coarse-knowledge-aware adversarial learning, the paper's own.
    Ckaad = "ckaad": ckaad::Settings,
    /// The Mahalanobis distance of pooled features from those of normal images.
    Gaussian = "gaussian": gaussian::Settings,
    /// The distance of patches from remembered ones of normal images.
    PatchCore = "patchcore": patchcore::Settings,
    /// The Mahalanobis distance at every position.
    Padim = "padim": padim::Settings,
    /// Logistic regression on pooled features.
    Probe = "probe": probe::Settings,
    /// The distance from a centre of what a small network makes of pooled features.
    DeepSad = "deep-sad": deep_sad::Settings,
    /// Linear scores of positions, which labelled images push above what is usual.
    DevNet = "devnet": devnet::Settings,
    /// How many images of a pair are anomalous, from pooled features.
    PReNet = "prenet": prenet::Settings,
    /// Four heads on frozen features, which learn from labelled and from made-up anomalous images.
    Dra = "dra": dra::Settings,
    /// What a decoder cannot give back of the features.
    Rd4ad = "rd4ad": rd4ad::Settings,
    /// What a decoder cannot give back of the features from projections that overlook noise.
    Rdpp = "rd++": rdpp::Settings,
    /// What a decoder cannot give back of one encoder's features from those of another, which learns.
    ReContrast = "recontrast": recontrast::Settings,
    /// How unlikely invertible networks find the features.
    FastFlow = "fastflow": fastflow::Settings,
    /// How unlikely an invertible network finds pooled features.
    DifferNet = "differnet": differnet::Settings,
    /// Where images look as if an anomaly had been drawn into them.
    Draem = "draem": draem::Settings,
    /// Where teacher and student differ as they do about drawn anomalies.
    DestSeg = "destseg": destseg::Settings,
    /// By how much encoding again changes what images are encoded by.
    Ganomaly = "ganomaly": ganomaly::Settings,
    /// How unlikely an invertible network finds features, and how unlike the image is what is painted from there.
    AeFlow = "ae-flow": ae_flow::Settings,
    /// How far images are from what is generated from their codes.
    AaBigan = "aa-bigan": aa_bigan::Settings,
    /// What a decoder cannot give back of the features of images that are deformed towards what is usual.
    Dmad = "dmad": dmad::Settings,
    /// How far images are from what they would be without anomalies.
    D3ad = "d3ad": d3ad::Settings,
    /// Several detectors as one.
    Fusion = "fusion": fusion::Settings,
}

impl Default for DetectorSettings {
    fn default() -> Self {
        Self::Ckaad(ckaad::Settings::default())
    }
}
