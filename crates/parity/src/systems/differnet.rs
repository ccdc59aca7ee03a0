use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use ckaad_detectors::differnet::{Flow, FlowConfig, Learner, distances};
use ckaad_detectors::{Pooling, pooled};
use ckaad_ops::Precision;
use ckaad_parameters::{NamedTensor, NamedTensors, collect, fill};
use serde::Deserialize;

use super::figures::Figures;
use super::inputs::{Maps, order};
use super::networks::{devices, gradients, number, twin, values};
use crate::{Check, formula};

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    stages: Vec<usize>,
    width: usize,
    blocks: usize,
    hidden: usize,
    batch: usize,
    views: usize,
    tests: usize,
    lr: f64,
}

/// `blocks.0.on_first.layers.1.weight` is `flow.block.0.on_first.2.weight` there.
fn recorded(ours: &str) -> String {
    match ours.split('.').collect::<Vec<_>>()[..] {
        ["blocks", block, half, "layers", layer, name] => {
            let layer = 2 * layer.parse::<usize>().unwrap_or(0);
            format!("flow.block.{block}.{half}.{layer}.{name}")
        }
        _ => ours.to_owned(),
    }
}

/// A matrix the other way round: weights are `[in, out]` here, `[out, in]` there.
fn transposed(tensor: &NamedTensor) -> NamedTensor {
    let [rows, columns] = tensor.shape[..] else {
        return tensor.clone();
    };
    let at = (0..rows * columns).map(|at| at % rows * columns + at / rows);
    NamedTensor {
        shape: vec![columns, rows],
        values: at.map(|at| tensor.values[at]).collect(),
    }
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [device, learning] = devices();
    let vectors = |name: &str, count: usize, defect: &[usize]| -> Tensor<2> {
        let of_view = |view: usize| {
            let maps = Maps {
                base: "base",
                name: &format!("{name}.view{view}"),
                count,
                stages: &case.stages,
                image: case.image,
                defect,
                seed: case.seed,
            };
            pooled(&maps.inputs(&device), &[Pooling::Mean])
        };
        let views: Vec<_> = (0..case.views).map(of_view).collect();
        // Image after image, all views of each.
        let images = (0..count).flat_map(|image| views.iter().map(move |view| &view[image]));
        let values: Vec<f32> = images.flatten().copied().collect();
        let shape = [count * case.views, case.width];
        Tensor::from_data(TensorData::new(values, shape), &device)
    };
    let config = FlowConfig {
        width: case.width,
        blocks: case.blocks,
        hidden: case.hidden,
        precision: Precision::F32,
    };
    let by_formula =
        |block: usize, width: usize| order(&format!("permutation.block{block}"), width, case.seed);
    let empty = || config.zeros(by_formula, &learning);
    let flow = fill(empty(), |info| {
        let name = recorded(info.name);
        let theirs: Vec<usize> = info.shape.iter().rev().copied().collect();
        let mut parameter = formula::parameter(&name, &theirs, case.seed);
        if name.ends_with(".6.weight") {
            parameter
                .values
                .iter_mut()
                .for_each(|value| *value *= 0.125);
        }
        transposed(&parameter).values
    });
    let mut learner = Learner::new(flow, case.lr);
    figures.indices("permutation.block0", by_formula(0, case.width))?;
    let test = vectors("test", case.tests, &[1, 3]);
    figures.tensor("test.pooled", values(test.clone()))?;
    let first = learner.flow.valid().first_block(test.clone());
    figures.tensor("initial.after_first_block", values(first.z))?;
    figures.tensor("initial.after_first_block.log_det", values(first.log_det))?;

    let evaluate = |figures: &mut Figures<'_>, when: &str, flow: &Flow| {
        let image = flow.valid().forward(test.clone());
        figures.tensor(&format!("{when}.z"), values(image.z.clone()))?;
        figures.tensor(&format!("{when}.log_det"), values(image.log_det))?;
        let of_views = distances(image.z);
        let scores = of_views.chunks_exact(case.views);
        let mean = scores.map(|views| views.iter().sum::<f64>() / case.views as f64);
        figures.scalars(&format!("{when}.image_score"), mean)
    };
    evaluate(&mut figures, "initial", &learner.flow)?;
    for step in 0..figures.steps() {
        let normal = vectors(&format!("normal.{step}"), case.batch, &[]);
        let flow = twin(empty(), &learner.flow)?;
        let image = flow.forward(normal.clone());
        let width = case.width as f64;
        let gauss = image.z.clone().square().sum_dim(1).mean() * 0.5 / width;
        let volume = image.log_det.clone().mean().neg() / width;
        figures.step(step, "gauss", [number(gauss.inner())])?;
        figures.step(step, "volume", [number(volume.inner())])?;
        let gradients = gradients(&flow, image.loss(), recorded);
        let gradients: NamedTensors = gradients
            .iter()
            .map(|(name, tensor)| (name.to_owned(), transposed(tensor)))
            .collect();
        figures.gradients(step, &gradients)?;
        figures.step(step, "total", [number(learner.step(normal))])?;
    }
    for (ours, tensor) in collect(&learner.flow).iter() {
        let name = recorded(ours);
        if figures.records(&format!("moved.{name}")) {
            figures.moved(&name, &transposed(tensor).values, case.seed)?;
        }
    }
    evaluate(&mut figures, "trained", &learner.flow)?;
    figures.finish(&[])
}
