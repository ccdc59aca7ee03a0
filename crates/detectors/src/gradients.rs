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

/// Moves the gradients of a module's parameters from one place to another, where they are added to what is there.
pub(crate) fn add<M: Module>(module: &M, to: &mut GradientsParams, from: &mut GradientsParams) {
    struct Add<'a> {
        to: &'a mut GradientsParams,
        from: &'a mut GradientsParams,
    }
    impl ModuleVisitor for Add<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.from.remove::<D>(param.id) {
                let sum = match self.to.remove::<D>(param.id) {
                    Some(there) => there + gradient,
                    None => gradient,
                };
                self.to.register(param.id, sum);
            }
        }
    }
    module.visit(&mut Add { to, from });
}

/// A module with the gradients in the place of its parameters, so that they are saved as it is. Running statistics stay.
pub(crate) fn in_place<M: Module>(module: &M, gradients: &GradientsParams) -> M {
    struct InPlace<'a>(&'a GradientsParams);
    impl ModuleMapper for InPlace<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            match self.0.get::<D>(param.id) {
                Some(gradient) => {
                    let (id, _, mapper) = param.consume();
                    Param::from_mapped_value(id, gradient, mapper)
                }
                None => param,
            }
        }
    }
    module.clone().map(&mut InPlace(gradients))
}

/// The gradients that were put in the place of a module's parameters.
pub(crate) fn from_values_of<M: Module>(module: &M) -> GradientsParams {
    struct Values(GradientsParams);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val();
            // Running statistics have no gradient.
            if value.is_require_grad() {
                self.0.register(param.id, value.inner());
            }
        }
    }
    let mut values = Values(GradientsParams::new());
    module.visit(&mut values);
    values.0
}
