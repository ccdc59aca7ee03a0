use ckaad_anomaly_map::AnomalyMap;
use ckaad_data::{Mask, Sample};
use ckaad_metrics::{AnnotatedMap, Connectivity, MetricError, PixelAccumulator, pro_of_map};

use super::report::{PixelReport, PixelsOmitted};
use crate::EngineError;

/// The upper limit of the false-positive rate in AUPRO.
const AUPRO_LIMIT: f64 = 0.3;

/// Collects maps and masks, one image at a time.
pub(super) struct PixelLevel {
    size: usize,
    ranking: PixelAccumulator,
    /// Sum and number of per-image areas, and how many images have none.
    per_image: (f64, u32),
    undefined: usize,
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
                    undefined: 0,
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
        match pro_of_map(index, &map, Connectivity::Eight) {
            Ok(Some(area)) => {
                self.per_image.0 += area;
                self.per_image.1 += 1;
            }
            Ok(None) => {}
            // That costs this figure alone.
            Err(MetricError::UndefinedPro { .. }) => self.undefined += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The figures of all images together.
    pub(super) fn finish(self) -> Result<PixelReport, EngineError> {
        let ranking = self.ranking.finish()?;
        let figures = ranking.figures(AUPRO_LIMIT)?;
        let (sum, count) = self.per_image;
        Ok(PixelReport {
            pixel_auroc: figures.auroc,
            pixel_average_precision: figures.average_precision,
            pixel_oracle_f1_max: figures.oracle_f1.f1,
            aupro_0_3: figures.aupro,
            pro_per_image: (self.undefined == 0).then_some(sum / f64::from(count)),
            pro_undefined: self.undefined,
            regions: ranking.regions(),
            resolution: [self.size, self.size],
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use ckaad_data::Label;

    use super::*;

    #[test]
    fn an_image_without_a_curve_costs_the_mean_over_images_alone() {
        let mut sample = Sample::new(Path::new("a.png"), Label::Anomalous, "a");
        sample.masks = vec!["a_mask.png".into()];
        let report = |maps: &[[f32; 4]]| {
            let (level, _) = PixelLevel::new(&[sample.clone()], 2);
            let mut level = level.unwrap();
            let mask = Mask {
                size: 2,
                pixels: vec![true, false, false, false],
                original: (2, 2),
            };
            for values in maps {
                let map = AnomalyMap {
                    values: values.to_vec(),
                    width: 2,
                    height: 2,
                };
                level.push(0, &map, Some(&mask)).unwrap();
            }
            level.finish().unwrap()
        };
        let flat = report(&[[0.5; 4], [1.0, 0.0, 0.0, 0.0]]);
        assert_eq!((flat.pro_per_image, flat.pro_undefined), (None, 2));
        assert_eq!(flat.pixel_auroc, 10.5 / 12.0);
    }
}
