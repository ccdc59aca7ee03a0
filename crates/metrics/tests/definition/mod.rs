//! The metrics by their definitions, one threshold at a time: slow, and nothing shared with the crate.

/// Share of pairs that are ranked rightly.
pub(crate) fn auroc(scores: &[f64], labels: &[bool]) -> f64 {
    let (mut won, mut pairs) = (0.0, 0.0);
    for (&a, _) in scores.iter().zip(labels).filter(|&(_, &label)| label) {
        for (&n, _) in scores.iter().zip(labels).filter(|&(_, &label)| !label) {
            pairs += 1.0;
            won += if a > n {
                1.0
            } else {
                f64::from(u8::from(a == n)) / 2.0
            };
        }
    }
    won / pairs
}

/// Distinct scores, highest first.
pub(crate) fn thresholds(scores: &[f64]) -> Vec<f64> {
    let mut thresholds = scores.to_vec();
    thresholds.sort_by(|a, b| b.total_cmp(a));
    thresholds.dedup();
    thresholds
}

/// True and false positives at a threshold.
pub(crate) fn positives(scores: &[f64], labels: &[bool], threshold: f64) -> (f64, f64) {
    let count = |wanted: bool| {
        scores
            .iter()
            .zip(labels)
            .filter(|&(&s, &l)| s >= threshold && l == wanted)
            .count()
    };
    (count(true) as f64, count(false) as f64)
}

/// Sum over thresholds of recall gained times precision.
pub(crate) fn average_precision(scores: &[f64], labels: &[bool]) -> f64 {
    let all = labels.iter().filter(|&&l| l).count() as f64;
    let (mut before, mut sum) = (0.0, 0.0);
    for threshold in thresholds(scores) {
        let (tp, fp) = positives(scores, labels, threshold);
        sum += (tp - before) / all * (tp / (tp + fp));
        before = tp;
    }
    sum
}

/// Highest F1.
pub(crate) fn f1_max(scores: &[f64], labels: &[bool]) -> f64 {
    let all = labels.iter().filter(|&&l| l).count() as f64;
    let f1 = |threshold| {
        let (tp, fp) = positives(scores, labels, threshold);
        2.0 * tp / (tp + fp + all)
    };
    thresholds(scores).into_iter().map(f1).fold(0.0, f64::max)
}

/// A small map with its mask.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) scores: Vec<f32>,
    pub(crate) mask: Vec<bool>,
    pub(crate) width: usize,
}

/// Regions by repeatedly spreading from a pixel to its neighbours.
pub(crate) fn regions(image: &Image, corners: bool) -> Vec<Vec<usize>> {
    let width = image.width as isize;
    let height = image.mask.len() as isize / width;
    let mut seen = vec![false; image.mask.len()];
    let mut regions = Vec::new();
    for start in 0..image.mask.len() {
        if !image.mask[start] || seen[start] {
            continue;
        }
        seen[start] = true;
        let (mut region, mut open) = (Vec::new(), vec![start]);
        while let Some(pixel) = open.pop() {
            region.push(pixel);
            let (row, column) = (pixel as isize / width, pixel as isize % width);
            for (down, right) in (-1..=1).flat_map(|down| (-1..=1).map(move |right| (down, right)))
            {
                let (y, x) = (row + down, column + right);
                if (!corners && down != 0 && right != 0)
                    || y < 0
                    || x < 0
                    || y >= height
                    || x >= width
                {
                    continue;
                }
                let next = (y * width + x) as usize;
                if image.mask[next] && !seen[next] {
                    seen[next] = true;
                    open.push(next);
                }
            }
        }
        regions.push(region);
    }
    regions
}

/// Dataset-wide AUPRO, threshold by threshold.
pub(crate) fn aupro(images: &[Image], limit: f64, corners: bool) -> f64 {
    let scores: Vec<f64> = images
        .iter()
        .flat_map(|i| i.scores.iter().map(|&s| f64::from(s)))
        .collect();
    let normal = images.iter().flat_map(|i| &i.mask).filter(|&&m| !m).count() as f64;
    let regions: Vec<(&Image, Vec<usize>)> = images
        .iter()
        .flat_map(|i| regions(i, corners).into_iter().map(move |r| (i, r)))
        .collect();
    let mut curve = vec![(0.0, 0.0)];
    for threshold in thresholds(&scores) {
        let flagged = |image: &Image, pixel: usize| f64::from(image.scores[pixel]) >= threshold;
        let false_positives: usize = images
            .iter()
            .map(|i| {
                (0..i.mask.len())
                    .filter(|&p| !i.mask[p] && flagged(i, p))
                    .count()
            })
            .sum();
        let covered: f64 = regions
            .iter()
            .map(|(i, region)| {
                region.iter().filter(|&&p| flagged(i, p)).count() as f64 / region.len() as f64
            })
            .sum();
        curve.push((
            false_positives as f64 / normal,
            covered / regions.len() as f64,
        ));
    }
    let mut area = 0.0;
    for pair in curve.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if x0 >= limit {
            break;
        }
        let (x, y) = if x1 > limit {
            (limit, y0 + (y1 - y0) * (limit - x0) / (x1 - x0))
        } else {
            (x1, y1)
        };
        area += (x - x0) * (y0 + y) / 2.0;
    }
    area / limit
}
