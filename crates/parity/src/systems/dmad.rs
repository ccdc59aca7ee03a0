use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use ckaad_auto_encoder::{AutoEncoderConfig, Norm};
use ckaad_detectors::destseg;
use ckaad_detectors::dmad::{Learner, Network, NetworkConfig, Objective, Settings, look, quantise};
use ckaad_ops::Precision;
use ckaad_parameters::fill;
use serde::Deserialize;

use super::figures::Figures;
use super::images::Images;
use super::networks::{devices, gradients, number, twin, values};
use crate::{Check, formula};
use ckaad_parameters::torch_name;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    width: usize,
    offset_width: usize,
    reduced: usize,
    codes: usize,
    batch: usize,
    tests: usize,
    gamma: f64,
    lr: f64,
}

/// What the biases of batch norms are above their formula, in networks that learn.
const SHIFT: f32 = 2.0;
/// What codes are multiplied by, and weights of the last convolutions of deformations.
const CODES: f32 = 4.0;
const LAST: f32 = 0.125;
/// What the weights of the encoder's batch norms are multiplied by.
const ENCODER: f32 = 0.5;
/// The shape of the features that are quantised by themselves.
const ALONE: [usize; 4] = [2, 32, 4, 4];

/// A parameter's recorded name.
fn recorded(ours: &str) -> String {
    let parts: Vec<&str> = ours.split('.').collect();
    let number = |text: &str| text.parse::<usize>().unwrap_or(0);
    let layer = |kind: &str| usize::from(kind == "norm");
    match parts[..] {
        ["offset", "plane", at, kind, name] => format!("offset.{kind}.{at}.{name}"),
        ["offset", "res", "first", kind, name] => format!("offset.res.{}.{name}", 1 + layer(kind)),
        ["offset", "res", "second", name] => format!("offset.res.4.{name}"),
        ["offset", "res", "norm", name] => format!("offset.res_norm.{name}"),
        ["offset", "heads", head, "layers", at, kind, name] => {
            format!("offset.head.{head}.{}.{name}", 3 * number(at) + layer(kind))
        }
        // Coarse deformations are read behind three layers, fine ones behind one.
        ["offset", "heads", head, "last", name] => {
            let at = if number(head).is_multiple_of(2) { 9 } else { 3 };
            format!("offset.head.{head}.{at}.{name}")
        }
        ["bottleneck", "reduce", scale, at, kind, name] => {
            let place = layer(kind);
            match scale {
                "0" => format!("bottleneck.first.{at}.{place}.{name}"),
                "1" => format!("bottleneck.second.{at}.{place}.{name}"),
                _ => format!("bottleneck.third.{place}.{name}"),
            }
        }
        ["bottleneck", ..] => torch_name(ours).replace("skip", "short"),
        _ => torch_name(ours),
    }
}

fn filled(network: Network, seed: u64) -> Network {
    fill(network, |info| {
        let name = recorded(info.name);
        let mut parameter = formula::parameter(&name, info.shape, seed);
        for value in &mut parameter.values {
            if name.ends_with("codes") {
                *value = CODES * value.abs();
            } else if info.name.ends_with("norm.bias") {
                *value += SHIFT;
            } else if info.name.ends_with("last.weight") {
                *value *= LAST;
            }
        }
        parameter.values
    })
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [_, learning] = devices();
    quantised_alone(&mut figures, &case)?;
    let widths: Vec<usize> = (0..3).map(|stage| case.width << stage).collect();
    let encoder = destseg::NetworkConfig {
        encoder: widths.clone(),
        teacher: widths.clone(),
        segment_width: 1,
        precision: Precision::F32,
    };
    let encoder = fill(encoder.resnet(&widths, &learning), |info| {
        let name = torch_name(info.name);
        let name = name.replace("stages", "stage").replace("skip", "short");
        let mut parameter = formula::parameter(&format!("encoder.{name}"), info.shape, case.seed);
        if info.name.ends_with("norm.weight") {
            parameter
                .values
                .iter_mut()
                .for_each(|value| *value *= ENCODER);
        }
        parameter.values
    });
    // On the device with autodiff, so that gradients pass through.
    let encoder = encoder.freeze();
    let config = NetworkConfig {
        student: AutoEncoderConfig {
            planes: widths,
            expansion: 1,
            base_width: 64,
            fusion_blocks: 2,
            decoder_blocks: vec![2; 3],
            norm: Norm::Batch,
            precision: Precision::F32,
        },
        reduced: case.reduced,
        codes: case.codes,
        offset_width: case.offset_width,
    };
    let settings = Settings {
        deformation_weight: case.gamma,
        ..Settings::default()
    };
    let mut learner = Learner::new(settings, filled(config.zeros(&learning), case.seed));
    let images = Images {
        side: case.image,
        unit: false,
        seed: case.seed,
    };
    let test = images.of("test", case.tests, &[1, 3]);
    figures.tensor("test.images", values(test.clone()))?;
    let encode = |images: Tensor<4>| encoder.forward(images);
    let evaluate = |figures: &mut Figures<'_>, when: &str, network: &Network| {
        let frozen = network.valid();
        let offsets = frozen.offset.forward(test.clone());
        for (number, offset) in offsets.all().enumerate() {
            figures.tensor(&format!("{when}.offset.{number}"), values(offset.clone()))?;
        }
        let warped = offsets.deform(test.clone());
        figures.tensor(&format!("{when}.warped"), values(warped.clone()))?;
        let features = encoder.valid().forward(warped);
        let output = frozen.reconstruct(&features);
        figures.tensor(&format!("{when}.latent"), values(output.latent.clone()))?;
        if when == "initial" {
            figures.indices("codes", output.quantised.picks.iter().copied())?;
        }
        let seen = look(&features, &output, &offsets, case.image);
        let maps = seen.iter().flat_map(|seen| seen.map.values.iter().copied());
        figures.tensor(&format!("{when}.anomaly_map"), maps)?;
        for (name, weights) in [
            ("map_score", [1.0, 0.0]),
            ("offset_score", [0.0, 1.0]),
            ("image_score", [1.0, settings.offset_weight]),
        ] {
            let score = seen
                .iter()
                .map(|seen| weights[0] * seen.map_score + weights[1] * seen.offset_score);
            figures.scalars(&format!("{when}.{name}"), score)?;
        }
        anyhow::Ok(())
    };
    evaluate(&mut figures, "initial", learner.network())?;
    for step in 0..figures.steps() {
        let normal = images.of(&format!("normal.{step}"), case.batch, &[]);
        let twin = twin(config.zeros(&learning), learner.network())?;
        if step == 0 {
            let offsets = twin.offset.forward(normal.clone());
            let back = offsets.bring_back(offsets.deform(normal.clone()));
            figures.tensor("step0.back", values(back.inner()))?;
        }
        let twin = self::twin(config.zeros(&learning), learner.network())?;
        let losses = Objective::new(&twin, encode, normal.clone(), case.gamma);
        figures.gradients(step, &gradients(&twin, losses.total, recorded))?;
        let done = learner.step(case.lr, encode, normal);
        for (level, loss) in (1..).zip(done.levels) {
            figures.step(step, &format!("level{level}"), [number(loss)])?;
        }
        for (path, loss) in [
            ("length", done.length),
            ("roughness", done.roughness),
            ("back", done.back),
            ("vq", done.codes),
            ("total", done.total),
        ] {
            figures.step(step, path, [number(loss)])?;
        }
    }
    figures.all_moved(&learner.network().valid(), case.seed, recorded)?;
    evaluate(&mut figures, "trained", learner.network())?;
    figures.finish(&["smallest_gap"])
}

/// Quantisation by itself, where not all positions choose one code.
fn quantised_alone(figures: &mut Figures<'_>, case: &Case) -> anyhow::Result<()> {
    let [device, learning] = devices();
    let shape = [case.codes, ALONE[1]];
    let codes = formula::uniform("vq.codes", shape.iter().product(), case.seed);
    let codes = Tensor::<2>::from_data(TensorData::new(codes, shape), &learning);
    let codes = Param::from_tensor(codes);
    let x = formula::uniform("vq.input", ALONE.iter().product(), case.seed);
    let x = Tensor::<4>::from_data(TensorData::new(x, ALONE), &device);
    let found = quantise(&codes.val(), x);
    figures.indices("vq.codes", found.picks)?;
    figures.scalars("vq.loss", [number(found.loss.clone().inner())])?;
    let gradient = codes.val().grad(&found.loss.backward());
    figures.tensor(
        "gradient.vq.codes",
        gradient.map(values).unwrap_or_default(),
    )
}
