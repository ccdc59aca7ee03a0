use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;
use ckaad_detectors::ganomaly::{
    Critic, CriticLosses, Generator, GeneratorLosses, Learner, NetworkConfig, Settings,
};
use ckaad_ops::Precision;
use serde::Deserialize;

use super::figures::Figures;
use super::images::Images;
use super::networks::{devices, filled, gradients, norm, number, twin, values};
use crate::Check;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    width: usize,
    z: usize,
    batch: usize,
    tests: usize,
    weights: Weights,
    lr: f64,
}

#[derive(Deserialize)]
struct Weights {
    adversarial: f64,
    reconstruction: f64,
    encoding: f64,
}

/// `encoder1.layers.0.norm.weight` is `generator.encoder1.3.weight` there: convolutions, norms and activations are one list.
fn name(part: &str, ours: &str) -> String {
    let parts: Vec<&str> = ours.split('.').collect();
    let number = |text: &str| text.parse::<usize>().unwrap_or(0);
    // A decoder has a norm behind every layer, an encoder none behind the first.
    let (first, per_layer) = match parts[0] {
        "decoder" => (0, 3),
        _ => (2, 3),
    };
    match parts[..] {
        [network, "first", of] => format!("{part}.{network}.0.{of}"),
        [network, "layers", layer, kind, of] => {
            let at = first + per_layer * number(layer) + usize::from(kind == "norm");
            format!("{part}.{network}.{at}.{of}")
        }
        [network, "last", of] => format!("{part}.{network}.LAST.{of}"),
        _ => ours.to_owned(),
    }
}

/// With the place of the last convolution, behind `layers` others.
fn recorded(part: &str, ours: &str, halvings: usize) -> String {
    let last = match ours.starts_with("decoder") {
        true => 3 * halvings,
        false => 3 * halvings - 1,
    };
    name(part, ours).replace("LAST", &last.to_string())
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [_, learning] = devices();
    let config = NetworkConfig {
        image_size: case.image,
        width: case.width,
        latent: case.z,
        precision: Precision::F32,
    };
    let halvings = (case.image / 4).ilog2() as usize;
    let of_generator = |ours: &str| recorded("generator", ours, halvings);
    let of_critic = |ours: &str| recorded("critic", ours, halvings);
    let settings = Settings {
        width: case.width,
        latent: case.z,
        learning_rate: case.lr,
        adversarial_weight: case.weights.adversarial,
        reconstruction_weight: case.weights.reconstruction,
        encoding_weight: case.weights.encoding,
    };
    let (generator, critic) = config.zeros(&learning);
    let networks = (
        filled(generator, case.seed, of_generator),
        filled(critic, case.seed, of_critic),
    );
    let mut learner = Learner::new(settings, networks, case.seed);
    let images = Images {
        side: case.image,
        unit: false,
        seed: case.seed,
    };
    let test = images.of("test", case.tests, &[1, 3]);
    figures.tensor("test.images", values(test.clone()))?;
    evaluate(&mut figures, "initial", &learner, &config, &test)?;
    for step in 0..figures.steps() {
        let normal = images.of(&format!("normal.{step}"), case.batch, &[]);
        let empty = || config.zeros(&learning);
        let generator: Generator = twin(empty().0, learner.networks().0)?;
        let critic: Critic = twin(empty().1, learner.networks().1)?;
        let generated = generator.forward(normal.clone());
        let losses = GeneratorLosses::new(&settings, &critic, normal.clone(), &generated);
        let named = gradients(&generator, losses.total, of_generator);
        figures.step(step, "grad_norm", [norm(&named, "")])?;
        let tensors = (step == 0).then_some("gradient");
        let groups = [
            "generator.encoder1",
            "generator.decoder",
            "generator.encoder2",
        ];
        figures.gradients_of(step, &named, &groups, tensors)?;
        let losses = CriticLosses::new(&critic, normal.clone(), generated.images.detach());
        let named = gradients(&critic, losses.total, of_critic);
        figures.step(step, "critic_grad_norm", [norm(&named, "")])?;
        figures.gradients_of(step, &named, &[], tensors)?;
        let (generator, critic) = learner.step(normal);
        for (path, loss) in [
            ("adversarial", generator.adversarial),
            ("reconstruction", generator.reconstruction),
            ("encoding", generator.encoding),
            ("generator", generator.total),
            ("critic_real", critic.real),
            ("critic_fake", critic.fake),
            ("critic", critic.total),
        ] {
            figures.step(step, path, [number(loss.inner())])?;
        }
    }
    let (generator, critic) = learner.networks();
    figures.all_moved(&generator.valid(), case.seed, of_generator)?;
    figures.all_moved(&critic.valid(), case.seed, of_critic)?;
    evaluate(&mut figures, "trained", &learner, &config, &test)?;
    figures.finish(&[])
}

fn evaluate(
    figures: &mut Figures<'_>,
    when: &str,
    learner: &Learner,
    config: &NetworkConfig,
    test: &Tensor<4>,
) -> anyhow::Result<()> {
    let (generator, critic) = learner.networks();
    let made = generator.valid().forward(test.clone());
    figures.scalars(&format!("{when}.image_score"), values(made.scores()))?;
    for (name, tensor) in [
        ("latent", made.latent),
        ("reconstruction", made.images),
        ("latent_again", made.latent_again),
    ] {
        figures.tensor(&format!("{when}.{name}"), values(tensor))?;
    }
    // As in training, without running statistics that follow.
    let [_, learning] = devices();
    let (empty_generator, empty_critic) = config.zeros(&learning);
    let (logits, features) = twin(empty_critic, critic)?.forward(test.clone());
    let of_batch = format!("{when}.batch_statistics");
    figures.tensor(
        &format!("{of_batch}.critic_features"),
        values(features.inner()),
    )?;
    figures.scalars(
        &format!("{of_batch}.critic"),
        values(sigmoid(logits.inner())),
    )?;
    let made = twin(empty_generator, generator)?.forward(test.clone());
    figures.scalars(
        &format!("{of_batch}.image_score"),
        values(made.scores().inner()),
    )
}
