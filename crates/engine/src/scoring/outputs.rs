//! The files that are written for one image.

use std::path::{Path, PathBuf};

use ckaad_anomaly_map::AnomalyMap;
use ckaad_data::Picture;

use super::map_picture::{self, FullMap};
use super::output_names::output_names;
use super::{HeatScale, HeatStyle, MapInfo, PredictOptions, Predictor, Regions};
use crate::EngineError;

/// Where the outputs of one image go.
pub(super) struct Outputs {
    pub(super) overlay: Option<PathBuf>,
    pub(super) raw: Option<PathBuf>,
    pub(super) regions: Option<PathBuf>,
}

impl Outputs {
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let Self {
            overlay,
            raw,
            regions,
        } = self;
        overlay.iter().chain(raw).chain(regions)
    }

    /// Whether any of them is as large as the picture.
    pub(super) fn need_picture(&self) -> bool {
        self.overlay.is_some() || self.regions.is_some()
    }

    /// The outputs of all images.
    pub(super) fn plan(
        predictor: &Predictor,
        inputs: &[PathBuf],
        out: &Path,
        options: &PredictOptions,
    ) -> Result<Vec<Self>, EngineError> {
        let maps = predictor.info().maps.is_some();
        if (options.raw.is_some() || options.regions) && !maps {
            let detector = predictor.info().config.detector.name();
            return Err(EngineError::NoMaps { detector });
        }
        let outputs = output_names(inputs).into_iter().map(|name| Self {
            overlay: (maps && options.overlays).then(|| out.join(format!("{name}_heatmap.png"))),
            raw: options
                .raw
                .map(|raw| out.join(format!("{name}_map.{}", raw.extension()))),
            regions: options
                .regions
                .then(|| out.join(format!("{name}_regions.json"))),
        });
        Ok(outputs.collect())
    }

    /// Writes what a map is shown by. `picture` is there if [any output needs it](Self::need_picture).
    pub(super) fn write(
        &self,
        picture: Option<&Picture>,
        map: &AnomalyMap,
        info: &MapInfo,
        options: &PredictOptions,
    ) -> Result<(), EngineError> {
        if let Some(picture) = picture {
            self.write_at_own_size(picture, map, info, options.heat)?;
        }
        if let (Some(kind), Some(file)) = (options.raw, &self.raw) {
            map_picture::write_raw(file, kind, map, info)?;
        }
        Ok(())
    }

    /// Writes what is as large as the picture.
    fn write_at_own_size(
        &self,
        picture: &Picture,
        map: &AnomalyMap,
        info: &MapInfo,
        style: HeatStyle,
    ) -> Result<(), EngineError> {
        let scale = HeatScale::of(info);
        let map = FullMap::new(map, picture.width, picture.height);
        if let Some(file) = &self.overlay {
            map_picture::write_overlay(file, picture, &map, &scale, style)?;
        }
        if let Some(file) = &self.regions {
            let regions = Regions::of(&map.values, picture.width, scale.threshold);
            let json = serde_json::to_vec_pretty(&regions)
                .map_err(|error| EngineError::file(file, "regions", error))?;
            ckaad_files::write(file, &json)?;
        }
        Ok(())
    }
}
