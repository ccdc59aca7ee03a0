//! Times every convolution of the networks: milliseconds and GFLOP/s per shape.
//!
//!     cargo run --release -p ckaad-conv --example bench -- --batch 8 --passes packed,forward
//!
//! Passes: `packed` (weights packed before, layers in the blocked layout: a frozen network), `forward` (contiguous
//! tensors, weights packed in the call: training), `input-grad`, `weight-grad`. `xtask/perf/conv.py` runs this in
//! alternation with PyTorch.

use std::time::Instant;

use ckaad_conv::{Activation, Blocked, Conv2d};

#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    conv: Conv2d,
    side: usize,
}

fn cases(size: usize) -> Vec<Case> {
    let (a, b, c, d) = (size / 4, size / 8, size / 16, size / 32);
    let case = |name, c_in, c_out, side, kernel, stride, padding| Case {
        name,
        conv: Conv2d::new(c_in, c_out, kernel, stride, padding),
        side,
    };
    vec![
        case("stem", 3, 64, size, 7, 2, 3),
        case("s1-3x3", 64, 64, a, 3, 1, 1),
        case("s2-down", 64, 128, a, 3, 2, 1),
        case("s2-short", 64, 128, a, 1, 2, 0),
        case("s2-3x3", 128, 128, b, 3, 1, 1),
        case("s3-down", 128, 256, b, 3, 2, 1),
        case("s3-short", 128, 256, b, 1, 2, 0),
        case("s3-3x3", 256, 256, c, 3, 1, 1),
        case("fuse", 128, 256, b, 3, 2, 1),
        case("enc-down", 512, 512, c, 3, 2, 1),
        case("enc-short", 512, 512, c, 1, 2, 0),
        case("enc-3x3", 512, 512, d, 3, 1, 1),
        case("dec3-3x3", 256, 256, c, 3, 1, 1),
        case("dec2-3x3", 128, 128, b, 3, 1, 1),
        case("disc2", 128, 128, b, 1, 1, 0),
        case("disc3", 256, 256, c, 1, 1, 0),
    ]
}

/// Pseudo-random values in [-1, 1).
fn values(len: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Minimum and median time of one call in milliseconds.
fn time(seconds: f64, mut call: impl FnMut()) -> (f64, f64) {
    call();
    let start = Instant::now();
    let mut times = Vec::new();
    while times.is_empty() || start.elapsed().as_secs_f64() < seconds {
        let one = Instant::now();
        call();
        times.push(one.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

fn run(case: Case, batch: usize, pass: &str, seconds: f64) -> Option<(f64, f64)> {
    let Case { conv, side, .. } = case;
    let out_side = conv.output(side);
    let input = values(batch * conv.c_in * side * side);
    let weight = values(conv.weight_len());
    let mut output = vec![0.0; batch * conv.c_out * out_side * out_side];
    let size = [batch, side, side];
    Some(match pass {
        "packed" => {
            let packed = conv.pack(&weight, None);
            if conv.c_in <= 4 {
                time(seconds, || drop(packed.forward_nchw(&input, size, Activation::Relu)))
            } else {
                let input = Blocked::from_nchw(&input, batch, conv.c_in, side, side);
                time(seconds, || drop(packed.forward(&input, None, Activation::Relu)))
            }
        }
        "forward" => time(seconds, || conv.forward(&input, size, &weight, None, &mut output)),
        _ => return None,
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: &str| {
        let at = arguments.iter().position(|a| a == name);
        at.and_then(|i| arguments.get(i + 1)).map_or(default.to_owned(), Clone::clone)
    };
    let number = |name: &str, default: &str| option(name, default).parse::<f64>().unwrap_or(f64::NAN);
    let (size, batch) = (number("--size", "256") as usize, number("--batch", "1") as usize);
    let (seconds, json) = (number("--seconds", "0.3"), arguments.iter().any(|a| a == "--json"));
    let (passes, only) = (option("--passes", "packed,forward,input-grad,weight-grad"), option("--only", ""));
    // The caller as one of the pool's threads: no hand-over per layer.
    rayon::scope(|_| {
        for case in cases(size) {
            if !only.is_empty() && !only.split(',').any(|name| name == case.name) {
                continue;
            }
            let Case { conv, side, name } = case;
            let positions = conv.output(side).pow(2) * batch;
            let flop = 2.0 * (positions * conv.weight_len()) as f64;
            for pass in passes.split(',') {
                let Some((min, median)) = run(case, batch, pass, seconds) else { continue };
                if json {
                    println!("{{\"name\": \"{name}\", \"pass\": \"{pass}\", \"ms\": {min}, \"median_ms\": {median}}}");
                } else {
                    println!("{name:10} {pass:11} {min:8.3} ms min {median:8.3} median {:7.0} GFLOP/s", flop / min / 1e6);
                }
            }
        }
    });
}
