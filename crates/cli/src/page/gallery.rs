//! The pictures of a page: the images that are worth a look, scored once more for their maps.

use ckaad_anomaly_map::AnomalyMap;
use ckaad_data::{DataError, Loader, Picture, Split, load_mask_native};
use ckaad_detectors::Scored;
use ckaad_engine::Predictor;
use ckaad_engine::evaluation::Evaluated;
use ckaad_engine::scoring::{ColourMap, Grid, HeatScale, Outline};
use ckaad_engine::training::{Event, Observer};
use ckaad_report::{
    Gallery, Legend, Line, PictureError, ScoredImage, Shot, Shrunk, choose, indexed_png, shrink,
};
use rayon::prelude::*;

/// Images of each sort: the found, the missed, the false alarms.
const OF_EACH: usize = 16;
/// Longer side of pictures in pixels.
const SIDE: usize = 384;
/// Pictures that are in memory together.
const AT_ONCE: usize = 4;
/// How far lines may be off, in pixels of what they are drawn around.
const TOLERANCE: f64 = 0.7;

pub(super) fn of(
    scored: &[ScoredImage],
    images: &[Evaluated],
    split: &Split,
    threshold: f64,
    predictor: &Predictor,
    observer: Observer<'_>,
) -> anyhow::Result<Gallery> {
    let scale = predictor.info().maps.as_ref().map(HeatScale::of);
    let chosen: Vec<usize> = choose(scored, threshold, OF_EACH).all().collect();
    let (mut shots, mut changed) = (Vec::new(), 0);
    for part in chosen.chunks(AT_ONCE) {
        let read =
            |&index: &usize| Loader::new(split.reading).load_picture(&images[index].sample.path);
        let pictures: Vec<Result<Picture, DataError>> = part.par_iter().map(read).collect();
        let (indices, pictures): (Vec<usize>, Vec<Picture>) = part
            .iter()
            .zip(pictures)
            .filter_map(|(&index, picture)| match picture {
                Ok(picture) => Some((index, picture)),
                Err(error) => {
                    shots.push(without_picture(index, &error));
                    None
                }
            })
            .unzip();
        let maps = predictor.predict(&pictures);
        let differs = |(index, map): &(&usize, &Scored)| !same(map.score, images[**index].score);
        changed += indices.iter().zip(&maps).filter(differs).count();
        let drawn: Result<Vec<Shot>, PictureError> = indices
            .par_iter()
            .zip(&pictures)
            .zip(&maps)
            .map(|((&index, picture), map)| draw(index, picture, map, scale, &images[index], split))
            .collect();
        shots.extend(drawn?);
        observer(Event::Progress {
            what: "drawing pictures",
            done: shots.len(),
            total: chosen.len(),
        });
    }
    let notes = (changed > 0).then(|| {
        format!(
            "{changed} of the pictures no longer have the scores that are written beside them: the images or the model have changed since the \
             evaluation, so evaluate again."
        )
    });
    Ok(Gallery {
        shots,
        legend: scale.map(|scale| Legend {
            colours: scale
                .palette(ColourMap::default())
                .into_iter()
                .step_by(15)
                .collect(),
            clear: f64::from(scale.clear),
            threshold: f64::from(scale.threshold),
            full: f64::from(scale.full),
        }),
        notes: notes.into_iter().collect(),
    })
}

/// Batches of other sizes may differ in the last digits.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-3 * a.abs().max(b.abs()).max(1e-6)
}

fn without_picture(image: usize, error: &DataError) -> Shot {
    Shot {
        image,
        picture: Err(error.to_string()),
        heat: None,
        contours: Vec::new(),
        mask: Vec::new(),
    }
}

fn draw(
    image: usize,
    picture: &Picture,
    scored: &Scored,
    scale: Option<HeatScale>,
    of: &Evaluated,
    split: &Split,
) -> Result<Shot, PictureError> {
    let small = shrink(&picture.pixels, [picture.width, picture.height], SIDE)?;
    let (mut heat, mut contours) = (None, Vec::new());
    if let (Some(scale), Some(map)) = (scale, &scored.map) {
        let map = map.at_size(small.height, small.width);
        let index = |value: &f32| (255.0 * scale.level(*value)).round() as u8;
        let indices: Vec<u8> = map.values.iter().map(index).collect();
        let palette = scale.palette(ColourMap::default());
        heat = Some(indexed_png(
            &indices,
            [small.width, small.height],
            &palette,
        )?);
        contours = contours_of(&map, scale.threshold);
    }
    Ok(Shot {
        image,
        mask: mask(of, &small, split),
        picture: Ok(small),
        heat,
        contours,
    })
}

/// The lines along which a map reaches a value, in its own pixels. They are drawn around finer ones, since pictures are enlarged.
fn contours_of(map: &AnomalyMap, value: f32) -> Vec<Line> {
    let finer = SIDE.div_ceil(map.width.max(map.height).max(1));
    let fine = map.at_size(finer * map.height, finer * map.width);
    let reached: Vec<bool> = fine.values.iter().map(|of| *of >= value).collect();
    let outlines = Grid::new(&reached, fine.width).outlines(TOLERANCE);
    lines(&outlines, [1.0 / finer as f32; 2])
}

/// The edge of the mask; none if there is no mask, or none that can be read, which the evaluation says.
fn mask(of: &Evaluated, small: &Shrunk, split: &Split) -> Vec<Line> {
    let files = &of.sample.masks;
    let mask = match files.is_empty() {
        true => None,
        false => load_mask_native(files, split.mask_rule, split.reading.orientation).ok(),
    };
    mask.map_or_else(Vec::new, |mask| {
        let scale = [
            small.width as f32 / mask.width as f32,
            small.height as f32 / mask.height as f32,
        ];
        let tolerance = TOLERANCE / f64::from(scale[0].min(scale[1]));
        lines(
            &Grid::new(&mask.pixels, mask.width).outlines(tolerance),
            scale,
        )
    })
}

fn lines(outlines: &[Outline], [across, down]: [f32; 2]) -> Vec<Line> {
    let corner = |[x, y]: &[u32; 2]| [across * *x as f32, down * *y as f32];
    outlines
        .iter()
        .map(|outline| outline.iter().map(corner).collect())
        .collect()
}
