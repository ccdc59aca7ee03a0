//! Times the frozen ResNet-18 (stages 1 to 3) and the auto-encoder (S = {2, 3}) in the blocked layout, with random weights.
//!
//!     cargo run --release -p ckaad-conv --example network -- 1 256

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

fn conv(c_in: usize, c_out: usize, kernel: usize, stride: usize) -> PackedConv2d {
    let conv = Conv2d::new(c_in, c_out, kernel, stride, kernel / 2);
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
    fn new(c_in: usize, c_out: usize, stride: usize) -> Self {
        let shortcut = (stride > 1).then(|| conv(c_in, c_out, 1, stride));
        Self {
            first: conv(c_in, c_out, 3, stride),
            second: conv(c_out, c_out, 3, 1),
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
    fn new(entry: Entry, channels: usize) -> Self {
        let first = matches!(entry, Entry::Plain).then(|| conv(channels, channels, 3, 1));
        Self {
            entry,
            first,
            second: conv(channels, channels, 3, 1),
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

fn up(c_in: usize, c_out: usize) -> PackedConvTranspose2d {
    let conv = ConvTranspose2d::new(c_in, c_out, 2);
    conv.pack(&values(conv.weight_len(), (6.0 / c_in as f32).sqrt()), None)
}

fn main() {
    let number = |i: usize, default: usize| {
        std::env::args()
            .nth(i)
            .and_then(|a| a.parse().ok())
            .unwrap_or(default)
    };
    let (batch, size) = (number(1, 1), number(2, 256));
    let stem = conv(3, 64, 7, 2);
    let stages = [
        [Block::new(64, 64, 1), Block::new(64, 64, 1)],
        [Block::new(64, 128, 2), Block::new(128, 128, 1)],
        [Block::new(128, 256, 2), Block::new(256, 256, 1)],
    ];
    let fuse = conv(128, 256, 3, 2);
    let encoder = [
        NormBlock::new(Entry::Down(conv(512, 512, 3, 2), conv(512, 512, 1, 2)), 512),
        NormBlock::new(Entry::Plain, 512),
    ];
    let decoder = [
        NormBlock::new(Entry::Up(up(512, 256), up(512, 256)), 256),
        NormBlock::new(Entry::Plain, 256),
        NormBlock::new(Entry::Up(up(256, 128), up(256, 128)), 128),
        NormBlock::new(Entry::Plain, 128),
    ];
    let image = values(batch * 3 * size * size, 1.0);
    let (mut backbone_ms, mut auto_encoder_ms) = (Vec::new(), Vec::new());
    rayon::scope(|_| {
        let start = Instant::now();
        while backbone_ms.len() < 7 || start.elapsed().as_secs_f64() < 1.0 {
            let begin = Instant::now();
            let mut map = stem
                .forward_nchw(&image, [batch, size, size], Activation::Relu)
                .max_pool(3, 2, 1);
            let mut features = Vec::new();
            for stage in &stages {
                map = stage.iter().fold(map, |map, block| block.forward(&map));
                features.push(map.clone());
            }
            let middle = Instant::now();
            let low = norm(
                fuse.forward(&features[1], None, Activation::Identity),
                None,
                Activation::Relu,
            );
            let mut code = Blocked::concatenate(&[&low, &features[2]]);
            for block in encoder.iter().chain(&decoder) {
                code = block.forward(&code);
            }
            let end = Instant::now();
            backbone_ms.push((middle - begin).as_secs_f64() * 1e3);
            auto_encoder_ms.push((end - middle).as_secs_f64() * 1e3);
        }
    });
    for (name, times) in [
        ("backbone", &mut backbone_ms),
        ("auto-encoder", &mut auto_encoder_ms),
    ] {
        times.sort_by(f64::total_cmp);
        println!(
            "{name:12} batch {batch}: min {:.2} ms, median {:.2} ms",
            times[0],
            times[times.len() / 2]
        );
    }
}
