use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Medical images with a few labelled anomalies.
    #[default]
    Medical,
    /// Products with local defects and no labelled anomalies.
    Industrial,
    /// CIFAR-10, one class against the others.
    Cifar10,
    /// As the first, in a tenth of its epochs: for images of one's own.
    Short,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Medical, Self::Industrial, Self::Cifar10, Self::Short];

    /// The settings, as the TOML text that ships in the program.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Medical => include_str!("../../presets/medical.toml"),
            Self::Industrial => include_str!("../../presets/industrial.toml"),
            Self::Cifar10 => include_str!("../../presets/cifar10.toml"),
            Self::Short => include_str!("../../presets/short.toml"),
        }
    }
}

impl std::fmt::Display for Preset {
    /// Its name in configurations and on the command line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Medical => "medical",
            Self::Industrial => "industrial",
            Self::Cifar10 => "cifar10",
            Self::Short => "short",
        })
    }
}
