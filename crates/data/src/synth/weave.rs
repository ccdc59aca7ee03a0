//! A woven cloth: two sets of threads crossing over and under.

use std::f64::consts::PI;

use crate::random::Stream;

/// Draws a `side` x `side` RGB picture of cloth. Phase, thread width, tint, light and grain vary from picture to picture as they do on
/// a production line: slightly.
pub(super) fn draw(side: usize, stream: &mut Stream) -> Vec<u8> {
    let threads = 10.0 * stream.range(0.97, 1.03);
    let angle: f64 = stream.range(-0.03, 0.03);
    let (phase_x, phase_y) = (stream.unit() * 2.0, stream.unit() * 2.0);
    let (light_x, light_y, brightness) = (
        stream.range(-0.06, 0.06),
        stream.range(-0.06, 0.06),
        stream.range(0.96, 1.04),
    );
    let tint = [172.0, 148.0, 112.0].map(|value| value * stream.range(0.985, 1.015));
    let (wave, wave_at) = (stream.range(0.0, 0.06), stream.unit() * 2.0 * PI);
    let mut grain = vec![0.0; side * side];
    stream.fill_signed(&mut grain);
    let mut pixels = Vec::with_capacity(side * side * 3);
    for y in 0..side {
        for x in 0..side {
            let (u, v) = (x as f64 / side as f64, y as f64 / side as f64);
            // In thread widths, slightly turned and bent.
            let s = (u * angle.cos() - v * angle.sin()) * threads
                + phase_x
                + wave * (2.0 * PI * v + wave_at).sin();
            let t = (u * angle.sin() + v * angle.cos()) * threads + phase_y;
            // On even cells the vertical thread is on top, on odd ones the horizontal.
            let over = (s.floor() + t.floor()).rem_euclid(2.0) < 1.0;
            let (across, along) = if over {
                (s - s.floor(), t - t.floor())
            } else {
                (t - t.floor(), s - s.floor())
            };
            let profile = (PI * across).sin() * (0.7 + 0.3 * (PI * along).sin());
            let warmth = if over { 1.0 } else { 0.9 };
            let light = brightness * (1.0 + light_x * (u - 0.5) + light_y * (v - 0.5));
            let value =
                (0.35 + 0.65 * profile) * warmth * light + 0.035 * f64::from(grain[y * side + x]);
            pixels.extend(tint.map(|tint| (tint * value).round().clamp(0.0, 255.0) as u8));
        }
    }
    pixels
}
