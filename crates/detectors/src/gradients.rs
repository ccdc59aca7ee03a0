//! What is done to the gradients of a module as a whole.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The Euclidean norm of all gradients of a module together.
pub(crate) fn global_norm<M: Module>(module: &M, gradients: &GradientsParams) -> Tensor<1> {
    struct SquaredSum<'a> {
        gradients: &'a GradientsParams,
        sum: Option<Tensor<1>>,
    }
    impl ModuleVisitor for SquaredSum<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                let squared = ckaad_ops::sum_of_squares(gradient);
                self.sum = Some(match self.sum.take() {
                    Some(sum) => sum + squared,
                    None => squared,
                });
            }
        }
    }
    let mut visitor = SquaredSum {
        gradients,
        sum: None,
    };
    module.visit(&mut visitor);
    visitor
        .sum
        .unwrap_or_else(|| panic!("a module that learns has gradients"))
        .sqrt()
}

/// Scales all gradients of a module so that their global norm is at most `most`.
pub(crate) fn clip<M: Module>(
    module: &M,
    gradients: GradientsParams,
    norm: Tensor<1>,
    most: f32,
) -> GradientsParams {
    struct Scale {
        gradients: GradientsParams,
        factor: Tensor<1>,
    }
    impl ModuleMapper for Scale {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                let factor = self.factor.clone().unsqueeze::<D>();
                self.gradients.register(param.id, gradient * factor);
            }
            param
        }
    }
    let factor = (norm + 1e-6).recip() * most;
    let mut scale = Scale {
        gradients,
        factor: factor.clamp_max(1.0),
    };
    let _ = module.clone().map(&mut scale);
    scale.gradients
}
