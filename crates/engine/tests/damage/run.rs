use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use ckaad_backbone::Backbone;
use ckaad_data::{Layout, SynthSize, synth_demo};
use ckaad_engine::config::DataConfig;
use ckaad_engine::{
    ActiveRun, CheckedConfig, Config, EngineError, Overrides, TrainContext, resume, train,
};

/// A finished run of one epoch, on features that are small.
pub(crate) struct Run {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) config: CheckedConfig,
    pub(crate) backbone: Backbone,
}

impl Run {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let size = SynthSize {
            side: 32,
            train_normal: 4,
            train_anomalous: 4,
            test_normal: 2,
            test_anomalous: 2,
        };
        synth_demo(&data, 3, size).unwrap();
        let overrides = Overrides {
            table: toml::toml! {
                stages = [1]
                image_size = 32
                batch = 4
                epochs = 1
                features = "random"
                detector = { norm = "batch" }
            },
            data: DataConfig {
                layout: Some(Layout::MvtecAd),
                category: Some("weave".to_owned()),
                root: Some(data),
                ..DataConfig::default()
            },
            ..Overrides::default()
        };
        let config = Config::resolve(None, overrides).unwrap();
        let backbone = config.backbone_config().unwrap();
        let backbone = backbone.random(config.seed, &ckaad_device::cpu());
        let run = Self {
            folder,
            config,
            backbone,
        };
        run.with(|context| train(&run.config, &run.path(), context).map(drop))
            .unwrap();
        run
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn with<T>(&self, work: impl FnOnce(TrainContext<'_>) -> T) -> T {
        let device = ckaad_device::cpu();
        let stop = AtomicBool::new(false);
        work(TrainContext {
            backbone: &self.backbone,
            weights: "random",
            device: &device,
            observer: &|_| {},
            stop: &stop,
        })
    }

    pub(crate) fn resume(&self) -> Result<(), EngineError> {
        self.with(|context| {
            let folder = ActiveRun::open(&self.path())?;
            resume(&self.config, &folder, context).map(drop)
        })
    }
}
