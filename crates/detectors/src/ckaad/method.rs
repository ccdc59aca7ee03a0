use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How labelled anomalies are used while training (the paper's Table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Not at all: reconstruction of normal images (equation 2).
    Recon,
    /// Their reconstruction error is maximised (equation 4).
    ReconSub,
    /// A plain GAN that ignores which features are anomalous (equation 7).
    Gan,
    /// An energy-based discriminator of whole images (equations 8 and 9).
    CkaImg,
    /// An energy-based discriminator of patches (equations 11 and 12): the paper's own.
    #[default]
    CkaPatch,
}

impl Method {
    /// Every method, in the order of the paper's Table 3.
    pub const ALL: [Self; 5] = [
        Self::Recon,
        Self::ReconSub,
        Self::Gan,
        Self::CkaImg,
        Self::CkaPatch,
    ];

    /// Whether it looks at anomalous images.
    pub fn uses_anomalies(self) -> bool {
        self != Self::Recon
    }

    /// Its name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recon => "recon",
            Self::ReconSub => "recon-sub",
            Self::Gan => "gan",
            Self::CkaImg => "cka-img",
            Self::CkaPatch => "cka-patch",
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
