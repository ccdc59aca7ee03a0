//! Local damage drawn over a picture, with its mask.

use std::f64::consts::PI;

use crate::random::Stream;

/// Kinds of drawn damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefectKind {
    /// A bright lump with soft edges.
    Blob,
    /// A thin, slightly bent bright line.
    Scratch,
    /// A dark, ragged opening.
    Hole,
    /// A discoloured patch under which the texture goes on.
    Stain,
}

impl DefectKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Blob, Self::Scratch, Self::Hole, Self::Stain];

    /// Name of its folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Scratch => "scratch",
            Self::Hole => "hole",
            Self::Stain => "stain",
        }
    }

    /// Colour that it is mixed with.
    fn colour(self) -> [f64; 3] {
        match self {
            Self::Blob => [236.0, 232.0, 224.0],
            Self::Scratch => [245.0, 240.0, 230.0],
            Self::Hole => [14.0, 12.0, 12.0],
            Self::Stain => [70.0, 30.0, 96.0],
        }
    }

    /// Share of that colour at the middle of the defect.
    fn strength(self) -> f64 {
        match self {
            Self::Stain => 0.7,
            _ => 0.95,
        }
    }
}

/// A closed curve around a centre whose radius varies with the direction, or a bent line.
struct Shape {
    centre: (f64, f64),
    radius: f64,
    /// Amplitude and phase of the 2nd to 4th harmonic of the radius.
    harmonics: [(f64, f64); 3],
    line: Option<(f64, f64)>,
}

impl Shape {
    fn random(kind: DefectKind, side: f64, stream: &mut Stream) -> Self {
        let line =
            (kind == DefectKind::Scratch).then(|| (stream.range(0.0, PI), stream.range(-0.6, 0.6)));
        let ragged = if kind == DefectKind::Hole { 0.22 } else { 0.12 };
        Self {
            centre: (
                side * stream.range(0.22, 0.78),
                side * stream.range(0.22, 0.78),
            ),
            radius: side
                * if line.is_some() {
                    stream.range(0.14, 0.2)
                } else {
                    stream.range(0.07, 0.13)
                },
            harmonics: [0; 3].map(|_| (stream.range(0.0, ragged), stream.range(0.0, 2.0 * PI))),
            line,
        }
    }

    /// Share of the defect at a pixel: 1 inside, falling to 0 across a pixel or two at the edge.
    fn cover(&self, x: f64, y: f64, side: f64) -> f64 {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        if let Some((angle, bend)) = self.line {
            let (along, across) = (
                dx * angle.cos() + dy * angle.sin(),
                dy * angle.cos() - dx * angle.sin(),
            );
            let reach = along / self.radius;
            let off = (across - bend * self.radius * (reach * reach - 0.5)).abs();
            let width = 0.016 * side;
            return if reach.abs() > 1.0 {
                0.0
            } else {
                (width - off + 0.5).clamp(0.0, 1.0)
            };
        }
        let direction = dy.atan2(dx);
        let wobble: f64 = (2..)
            .zip(&self.harmonics)
            .map(|(n, (a, phase))| a * (f64::from(n) * direction + phase).cos())
            .sum();
        ((self.radius * (1.0 + wobble) - dx.hypot(dy)) / 1.5 + 0.5).clamp(0.0, 1.0)
    }
}

/// Draws a defect of that kind into RGB `pixels`; returns the mask, 255 where the defect covers at least half of the pixel.
pub(super) fn draw(
    kind: DefectKind,
    pixels: &mut [u8],
    side: usize,
    stream: &mut Stream,
) -> Vec<u8> {
    let shape = Shape::random(kind, side as f64, stream);
    let mut mask = vec![0; side * side];
    for (at, (pixel, mask)) in pixels.chunks_exact_mut(3).zip(&mut mask).enumerate() {
        let cover = shape.cover((at % side) as f64, (at / side) as f64, side as f64);
        let mix = cover * kind.strength();
        for (value, colour) in pixel.iter_mut().zip(kind.colour()) {
            *value = (f64::from(*value) * (1.0 - mix) + colour * mix).round() as u8;
        }
        *mask = if cover >= 0.5 { 255 } else { 0 };
    }
    mask
}
