//! Times the frozen ResNet-18 (stages 1 to 3) and the auto-encoder (S = {2, 3}) in the blocked layout, with random weights, in single
//! precision and in bf16 by turns. Arguments: batch, side of the images, seconds.
//!
//!     cargo run --release -p ckaad-conv --example network -- 1 256 5

use std::time::Instant;

use ckaad_conv::{
    Activation, Blocked, Conv2d, ConvTranspose2d, Convolution, PackedConv2d, PackedConvTranspose2d,
};

/// Pseudo-random values in [-1, 1) times `scale`.
fn values(len: usize, scale: f32) -> Vec<f32> {
    let mut state = 1u32;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale
        })
        .collect()
}

/// What a network multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    F32,
    Bf16,
}

use Precision::{Bf16, F32};

/// Narrow layers directly, and in bf16 those of many weights, as `ckaad-ops` computes them.
fn conv(
    c_in: usize,
    c_out: usize,
    kernel: usize,
    stride: usize,
    precision: Precision,
) -> PackedConv2d {
    let mut conv = Conv2d::new(c_in, c_out, kernel, stride, kernel / 2);
    if c_in <= 64 || (precision == Bf16 && c_in * c_out > 256 * 256) {
        conv = conv.without_winograd();
    }
    if precision == Bf16 {
        conv = conv.in_bf16();
    }
    let scale = (6.0 / (c_in * kernel * kernel) as f32).sqrt();
    conv.pack(&values(conv.weight_len(), scale), Some(&vec![0.1; c_out]))
}

/// A residual block with its batch norms folded.
struct Block {
    first: PackedConv2d,
    second: PackedConv2d,
    shortcut: Option<PackedConv2d>,
}

impl Block {
    fn new(c_in: usize, c_out: usize, stride: usize, precision: Precision) -> Self {
        let shortcut = (stride > 1).then(|| conv(c_in, c_out, 1, stride, precision));
        Self {
            first: conv(c_in, c_out, 3, stride, precision),
            second: conv(c_out, c_out, 3, 1, precision),
            shortcut,
        }
    }

    fn forward(&self, input: &Blocked) -> Blocked {
        let inner = self.first.forward(input, None, Activation::Relu);
        let shortcut = self
            .shortcut
            .as_ref()
            .map(|s| s.forward(input, None, Activation::Identity));
        self.second.forward(
            &inner,
            Some(shortcut.as_ref().unwrap_or(input)),
            Activation::Relu,
        )
    }
}

fn norm(map: Blocked, residual: Option<&Blocked>, activation: Activation) -> Blocked {
    let (scale, shift) = (vec![1.0; map.channels()], vec![0.0; map.channels()]);
    map.instance_norm(&scale, &shift, 1e-5, residual, activation)
}

enum Entry {
    Plain,
    Down(PackedConv2d, PackedConv2d),
    Up(PackedConvTranspose2d, PackedConvTranspose2d),
}

/// A residual block with instance norms.
struct NormBlock {
    entry: Entry,
    first: Option<PackedConv2d>,
    second: PackedConv2d,
}

impl NormBlock {
    fn new(entry: Entry, channels: usize, precision: Precision) -> Self {
        let first =
            matches!(entry, Entry::Plain).then(|| conv(channels, channels, 3, 1, precision));
        Self {
            entry,
            first,
            second: conv(channels, channels, 3, 1, precision),
        }
    }

    fn forward(&self, input: &Blocked) -> Blocked {
        let id = Activation::Identity;
        let (inner, shortcut) = match (&self.entry, &self.first) {
            (Entry::Down(body, shortcut), _) => (
                body.forward(input, None, id),
                Some(norm(shortcut.forward(input, None, id), None, id)),
            ),
            (Entry::Up(body, shortcut), _) => (
                body.forward(input, None, id),
                Some(norm(shortcut.forward(input, None, id), None, id)),
            ),
            (Entry::Plain, Some(first)) => (first.forward(input, None, id), None),
            (Entry::Plain, None) => unreachable!("a plain block has a first convolution"),
        };
        let inner = self
            .second
            .forward(&norm(inner, None, Activation::Relu), None, id);
        norm(
            inner,
            Some(shortcut.as_ref().unwrap_or(input)),
            Activation::Relu,
        )
    }
}

fn up(c_in: usize, c_out: usize, precision: Precision) -> PackedConvTranspose2d {
    let mut conv = ConvTranspose2d::new(c_in, c_out, 2);
    if precision == Bf16 {
        conv = conv.in_bf16();
    }
    conv.pack(&values(conv.weight_len(), (6.0 / c_in as f32).sqrt()), None)
}

struct Network {
    stem: PackedConv2d,
    stages: [[Block; 2]; 3],
    fuse: PackedConv2d,
    blocks: [NormBlock; 6],
}

impl Network {
    fn new(p: Precision) -> Self {
        let down = Entry::Down(conv(512, 512, 3, 2, p), conv(512, 512, 1, 2, p));
        let up = |c_in, c_out| Entry::Up(up(c_in, c_out, p), up(c_in, c_out, p));
        Self {
            stem: conv(3, 64, 7, 2, p),
            stages: [
                [Block::new(64, 64, 1, p), Block::new(64, 64, 1, p)],
                [Block::new(64, 128, 2, p), Block::new(128, 128, 1, p)],
                [Block::new(128, 256, 2, p), Block::new(256, 256, 1, p)],
            ],
            fuse: conv(128, 256, 3, 2, p),
            blocks: [
                NormBlock::new(down, 512, p),
                NormBlock::new(Entry::Plain, 512, p),
                NormBlock::new(up(512, 256), 256, p),
                NormBlock::new(Entry::Plain, 256, p),
                NormBlock::new(up(256, 128), 128, p),
                NormBlock::new(Entry::Plain, 128, p),
            ],
        }
    }

    /// Milliseconds of the backbone and of the auto-encoder.
    fn run(&self, image: &[f32], size: [usize; 3]) -> [f64; 2] {
        let begin = Instant::now();
        let stem = self.stem.forward_nchw(image, size, Activation::Relu);
        let mut map = stem.max_pool(3, 2, 1);
        let mut features = Vec::new();
        for stage in &self.stages {
            map = stage.iter().fold(map, |map, block| block.forward(&map));
            features.push(map.clone());
        }
        let middle = Instant::now();
        let low = self.fuse.forward(&features[1], None, Activation::Identity);
        let low = norm(low, None, Activation::Relu);
        let code = Blocked::concatenate(&[&low, &features[2]]);
        drop(
            self.blocks
                .iter()
                .fold(code, |code, block| block.forward(&code)),
        );
        let end = Instant::now();
        [middle - begin, end - middle].map(|time| time.as_secs_f64() * 1e3)
    }
}

fn main() {
    let number = |i: usize, default: usize| {
        std::env::args()
            .nth(i)
            .and_then(|a| a.parse().ok())
            .unwrap_or(default)
    };
    let (batch, size) = (number(1, 1), number(2, 256));
    let seconds = number(3, 2) as f64;
    let image = values(batch * 3 * size * size, 1.0);
    let networks = [F32, Bf16].map(Network::new);
    let mut times = [Vec::new(), Vec::new()];
    rayon::scope(|_| {
        let start = Instant::now();
        while times[0].len() < 7 || start.elapsed().as_secs_f64() < seconds {
            for (network, times) in networks.iter().zip(&mut times) {
                let [backbone, auto_encoder] = network.run(&image, [batch, size, size]);
                times.push([backbone, auto_encoder, backbone + auto_encoder]);
            }
        }
    });
    for (i, name) in ["backbone", "auto-encoder", "both"].into_iter().enumerate() {
        let mut least = [0.0; 2];
        for ((precision, times), least) in [F32, Bf16].into_iter().zip(&times).zip(&mut least) {
            let mut times: Vec<f64> = times.iter().map(|times| times[i]).collect();
            times.sort_by(f64::total_cmp);
            *least = times[0];
            println!(
                "{name:12} batch {batch} {precision:?}: min {:.2} ms, median {:.2} ms",
                times[0],
                times[times.len() / 2]
            );
        }
        println!("{name:12} ratio of the least: {:.2}", least[1] / least[0]);
    }
}
