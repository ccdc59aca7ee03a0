//! Times every convolution of the networks: milliseconds and GFLOP/s per shape.
//!
//!     cargo run --release -p ckaad-conv --example bench -- --batch 8 --passes packed,forward
//!
//! Passes: `packed` (weights packed before, layers in the blocked layout: a frozen network), `forward` (contiguous
//! tensors, weights packed in the call: training), `direct` (`packed`, without Winograd), `pack` (packing alone),
//! `input-grad`, `weight-grad`, `backward` (both). With `-bf16` behind its name a pass multiplies in bf16. `xtask/perf/conv.py` runs
//! this in alternation with PyTorch.

use std::time::Instant;

use ckaad_conv::{Activation, Algorithm, Blocked, Conv2d, ConvTranspose2d, Convolution};

#[derive(Clone, Copy)]
enum Operator {
    Conv(Conv2d),
    /// 2x2, stride 2.
    Transposed(ConvTranspose2d),
}

#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    operator: Operator,
    c_in: usize,
    c_out: usize,
    side: usize,
}

impl Case {
    fn in_bf16(self) -> Self {
        let operator = match self.operator {
            Operator::Conv(conv) => Operator::Conv(conv.in_bf16()),
            Operator::Transposed(conv) => Operator::Transposed(conv.in_bf16()),
        };
        Self { operator, ..self }
    }

    fn convolution(&self) -> &dyn Convolution {
        match &self.operator {
            Operator::Conv(conv) => conv,
            Operator::Transposed(conv) => conv,
        }
    }

    fn out_side(&self) -> usize {
        match self.operator {
            Operator::Conv(conv) => conv.output(self.side),
            Operator::Transposed(_) => 2 * self.side,
        }
    }

    /// Products and sums of one image.
    fn flop(&self) -> f64 {
        let side = match self.operator {
            Operator::Conv(_) => self.out_side(),
            Operator::Transposed(_) => self.side,
        };
        2.0 * (side.pow(2) * self.convolution().weight_len()) as f64
    }
}

fn cases(size: usize) -> Vec<Case> {
    let (a, b, c, d) = (size / 4, size / 8, size / 16, size / 32);
    let conv = |name, c_in, c_out, side, kernel, stride, padding| {
        let operator = Operator::Conv(Conv2d::new(c_in, c_out, kernel, stride, padding));
        Case {
            name,
            operator,
            c_in,
            c_out,
            side,
        }
    };
    let transposed = |name, c_in, c_out, side| {
        let operator = Operator::Transposed(ConvTranspose2d::new(c_in, c_out, 2));
        Case {
            name,
            operator,
            c_in,
            c_out,
            side,
        }
    };
    vec![
        conv("stem", 3, 64, size, 7, 2, 3),
        conv("s1-3x3", 64, 64, a, 3, 1, 1),
        conv("s2-down", 64, 128, a, 3, 2, 1),
        conv("s2-short", 64, 128, a, 1, 2, 0),
        conv("s2-3x3", 128, 128, b, 3, 1, 1),
        conv("s3-down", 128, 256, b, 3, 2, 1),
        conv("s3-short", 128, 256, b, 1, 2, 0),
        conv("s3-3x3", 256, 256, c, 3, 1, 1),
        conv("fuse", 128, 256, b, 3, 2, 1),
        conv("enc-down", 512, 512, c, 3, 2, 1),
        conv("enc-short", 512, 512, c, 1, 2, 0),
        conv("enc-3x3", 512, 512, d, 3, 1, 1),
        transposed("dec3-up", 512, 256, d),
        conv("dec3-3x3", 256, 256, c, 3, 1, 1),
        transposed("dec2-up", 256, 128, c),
        conv("dec2-3x3", 128, 128, b, 3, 1, 1),
        conv("disc2", 128, 128, b, 1, 1, 0),
        conv("disc3", 256, 256, c, 1, 1, 0),
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

/// A layer that packed its weights before.
type Packed = Box<dyn Fn(&Blocked) -> Blocked>;

fn pack(case: &Case, weight: &[f32], algorithm: Option<Algorithm>) -> Option<Packed> {
    let relu = Activation::Relu;
    match (&case.operator, algorithm) {
        (Operator::Conv(conv), _) => {
            let packed = conv.pack_for(algorithm.unwrap_or(conv.algorithm()), weight, None);
            Some(Box::new(move |x| packed.forward(x, None, relu)))
        }
        (Operator::Transposed(conv), None) => {
            let packed = conv.pack(weight, None);
            Some(Box::new(move |x| packed.forward(x, None, relu)))
        }
        (Operator::Transposed(_), Some(_)) => None,
    }
}

fn run(case: &Case, batch: usize, pass: &str, seconds: f64) -> Option<(f64, f64)> {
    let (conv, side) = (case.convolution(), case.side);
    let input = values(batch * case.c_in * side * side);
    let grad = values(batch * case.c_out * case.out_side().pow(2));
    let weight = values(conv.weight_len());
    let (mut output, mut input_grad, mut weight_grad) =
        (grad.clone(), input.clone(), weight.clone());
    let size = [batch, side, side];
    Some(match (pass, &case.operator) {
        ("packed", Operator::Conv(conv)) if case.c_in <= 4 => {
            let packed = conv.pack(&weight, None);
            time(seconds, || {
                drop(packed.forward_nchw(&input, size, Activation::Relu))
            })
        }
        ("packed" | "direct", _) => {
            let algorithm = (pass == "direct").then_some(Algorithm::Direct);
            let packed = pack(case, &weight, algorithm)?;
            let blocked = Blocked::from_nchw(&input, batch, case.c_in, side, side);
            time(seconds, || drop(packed(&blocked)))
        }
        ("pack", _) => time(seconds, || drop(pack(case, &weight, None))),
        ("forward", _) => time(seconds, || {
            conv.forward(&input, size, &weight, None, &mut output)
        }),
        ("input-grad", _) => time(seconds, || {
            conv.input_grad(&grad, size, &weight, &mut input_grad)
        }),
        ("weight-grad", _) => time(seconds, || {
            conv.weight_grad(&input, size, &grad, &mut weight_grad)
        }),
        ("backward", _) => time(seconds, || {
            let to = (&mut input_grad, &mut weight_grad);
            conv.backward(&input, size, &weight, &grad, to.0, to.1);
        }),
        _ => return None,
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: &str| {
        let at = arguments.iter().position(|a| a == name);
        at.and_then(|i| arguments.get(i + 1))
            .map_or(default.to_owned(), Clone::clone)
    };
    let number =
        |name: &str, default: &str| option(name, default).parse::<f64>().unwrap_or(f64::NAN);
    let (size, batch) = (
        number("--size", "256") as usize,
        number("--batch", "1") as usize,
    );
    let (seconds, json) = (
        number("--seconds", "0.3"),
        arguments.iter().any(|a| a == "--json"),
    );
    let (passes, only) = (
        option("--passes", "packed,forward,input-grad,weight-grad"),
        option("--only", ""),
    );
    // The caller as one of the pool's threads: no hand-over per layer.
    rayon::scope(|_| {
        for case in cases(size) {
            if !only.is_empty() && !only.split(',').any(|name| name == case.name) {
                continue;
            }
            let (name, flop) = (case.name, case.flop() * batch as f64);
            for pass in passes.split(',') {
                let (case, kind) = match pass.strip_suffix("-bf16") {
                    Some(kind) => (case.in_bf16(), kind),
                    None => (case, pass),
                };
                let Some((min, median)) = run(&case, batch, kind, seconds) else {
                    continue;
                };
                if json {
                    println!(
                        "{{\"name\": \"{name}\", \"pass\": \"{pass}\", \"ms\": {min}, \"median_ms\": {median}}}"
                    );
                } else {
                    println!(
                        "{name:10} {pass:16} {min:8.3} ms min {median:8.3} median {:7.0} GFLOP/s",
                        flop / min / 1e6
                    );
                }
            }
        }
    });
}
