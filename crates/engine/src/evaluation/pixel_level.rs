use ckaad_anomaly_map::AnomalyMap;
use ckaad_data::{Mask, Sample};
use ckaad_metrics::{AnnotatedMap, Connectivity, PixelAccumulator, pro_of_map};

use super::report::{PixelReport, PixelsOmitted};
use crate::EngineError;

/// The upper limit of the false-positive rate in AUPRO.
const AUPRO_LIMIT: f64 = 0.3;

/// Collects maps and masks, one image at a time.
pub(super) struct PixelLevel {
    size: usize,
    ranking: PixelAccumulator,
    /// Sum and number of per-image areas.
    per_image: (f64, u32),
}

impl PixelLevel {
    /// Needs a mask of every anomalous image: without one it cannot be said which pixels are anomalous. Where some have one, says what is
    /// missing.
    pub(super) fn new(samples: &[Sample], size: usize) -> (Option<Self>, Option<PixelsOmitted>) {
        let anomalous = samples.iter().filter(|sample| sample.label.is_anomalous());
        let all = anomalous.clone().count();
        let masked = anomalous.filter(|sample| !sample.masks.is_empty()).count();
        match masked {
            0 => (None, None),
            _ if masked < all => {
                let omitted = PixelsOmitted {
                    reason: format!(
                        "{} of {all} anomalous test images have no mask",
                        all - masked
                    ),
                    failed: false,
                };
                (None, Some(omitted))
            }
            _ => {
                let level = Self {
                    size,
                    ranking: PixelAccumulator::new(Connectivity::Eight),
                    per_image: (0.0, 0),
                };
                (Some(level), None)
            }
        }
    }

    /// Adds an image: its map, brought to the size of the mask, and the mask if it is anomalous.
    pub(super) fn push(
        &mut self,
        index: usize,
        map: &AnomalyMap,
        mask: Option<&Mask>,
    ) -> Result<(), EngineError> {
        let map = map.at_size(self.size, self.size);
        let map = match mask {
            Some(mask) => AnnotatedMap::new(&map.values, &mask.pixels, map.height, map.width),
            None => AnnotatedMap::normal(&map.values, map.height, map.width),
        };
        self.ranking.push(&map)?;
        if let Some(area) = pro_of_map(index, &map, Connectivity::Eight)? {
            self.per_image.0 += area;
            self.per_image.1 += 1;
        }
        Ok(())
    }

    /// The figures of all images together.
    pub(super) fn finish(self) -> Result<PixelReport, EngineError> {
        let ranking = self.ranking.finish()?;
        let figures = ranking.figures(AUPRO_LIMIT)?;
        Ok(PixelReport {
            pixel_auroc: figures.auroc,
            pixel_average_precision: figures.average_precision,
            pixel_oracle_f1_max: figures.oracle_f1.f1,
            aupro_0_3: figures.aupro,
            pro_per_image: self.per_image.0 / f64::from(self.per_image.1),
            regions: ranking.regions(),
            resolution: [self.size, self.size],
        })
    }
}
