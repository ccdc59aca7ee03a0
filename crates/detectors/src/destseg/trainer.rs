use burn::module::Module;
use burn::tensor::Tensor;

use super::{
    DestSegDetector, Head, SegmentLosses, Settings, Student, Trunk, products, segment, shrunk,
    student_losses,
};
use crate::learning::Learning;
use crate::momentum::Momentum;
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const RULE: Momentum = Momentum {
    momentum: 0.9,
    decay: 1e-4,
};
const STUDENT: &str = "student";
const TRUNK: &str = "trunk";
const HEAD: &str = "head";
const TIME: &str = "time";
/// One step of so many is the student's: 1000 of the authors' 5000.
const STUDENTS_SHARE: u64 = 5;

/// Networks that learn, on a device with autodiff.
pub struct Learner {
    settings: Settings,
    student: Learning<Student>,
    trunk: Learning<Trunk>,
    head: Learning<Head>,
}

impl Learner {
    /// With fresh optimizers: momentum 0.9, decay 1e-4.
    pub fn new(settings: Settings, (student, trunk, head): (Student, Trunk, Head)) -> Self {
        Self {
            settings,
            student: Learning::new(student, RULE.optimizer()),
            trunk: Learning::new(trunk, RULE.optimizer()),
            head: Learning::new(head, RULE.optimizer()),
        }
    }

    /// What learns.
    pub fn networks(&self) -> (&Student, &Trunk, &Head) {
        (&self.student.module, &self.trunk.module, &self.head.module)
    }

    /// A step of the student on corrupted images, against what the teacher sees of the clean ones: the losses of all scales.
    ///
    /// # Shapes
    /// As [`student_losses`].
    pub fn teach(&mut self, teacher: &[Tensor<4>], corrupted: Tensor<4>) -> Vec<Tensor<1>> {
        let losses = student_losses(teacher, &self.student.module.forward(corrupted));
        let total = Tensor::cat(losses.clone(), 0).sum();
        let rate = self.settings.student_learning_rate;
        self.student.step(rate, &mut total.backward());
        losses.into_iter().map(Tensor::inner).collect()
    }

    /// A step of the others on corrupted images and what the teacher sees of them; the student stays.
    pub fn segment(
        &mut self,
        teacher: &[Tensor<4>],
        corrupted: Tensor<4>,
        masks: Tensor<4>,
    ) -> SegmentLosses {
        let student = self.student.module.valid().forward(corrupted);
        let products = products(teacher, &student);
        let [_, _, height, width] = products.dims();
        let found = segment(&self.trunk.module, &self.head.module, products);
        let losses = SegmentLosses::new(found, shrunk(masks, [height, width]));
        let mut gradients = losses.total.backward();
        let Settings {
            trunk_learning_rate,
            head_learning_rate,
            ..
        } = self.settings;
        self.trunk.step(trunk_learning_rate, &mut gradients);
        self.head.step(head_learning_rate, &mut gradients);
        SegmentLosses {
            focal: losses.focal.inner(),
            l1: losses.l1.inner(),
            total: losses.total.inner(),
        }
    }
}

/// [`Learner`] as the contract has it.
pub(super) struct DestSegTrainer {
    pub(super) learner: Learner,
    pub(super) image_size: usize,
    /// Steps in all.
    pub(super) steps: u64,
    /// Steps done.
    pub(super) time: u64,
}

impl DestSegTrainer {
    /// How many steps are the student's.
    fn students(&self) -> u64 {
        self.steps.div_ceil(STUDENTS_SHARE)
    }
}

impl Trainer for DestSegTrainer {
    fn step(&mut self, normal: &Inputs, drawn: Option<&Inputs>) -> Losses {
        let drawn = drawn.and_then(|drawn| {
            let masks = drawn.masks.clone()?;
            Some((drawn.images.clone()?, drawn.tensors(), masks))
        });
        let Some((corrupted, teacher, masks)) = drawn else {
            panic!("destseg asks for drawn anomalies");
        };
        self.time += 1;
        if self.time <= self.students() {
            let losses = self.learner.teach(&normal.tensors(), corrupted);
            return Losses(vec![("student", Tensor::cat(losses, 0).sum())]);
        }
        let losses = self.learner.segment(&teacher, corrupted, masks);
        Losses(vec![
            ("total", losses.total),
            ("focal", losses.focal),
            ("l1", losses.l1),
        ])
    }

    fn detector(&self) -> Box<dyn Detector> {
        let (student, trunk, head) = self.learner.networks();
        let segments = self.time > self.students();
        Box::new(DestSegDetector::new(
            student.valid(),
            segments.then(|| (trunk.valid(), head.valid())),
            self.image_size,
        ))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        self.learner.student.save(&mut state, STUDENT)?;
        self.learner.trunk.save(&mut state, TRUNK)?;
        self.learner.head.save(&mut state, HEAD)?;
        state.insert_numbers(TIME, [self.time as f64]);
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        self.learner.student.restore(&mut state, STUDENT)?;
        self.learner.trunk.restore(&mut state, TRUNK)?;
        self.learner.head.restore(&mut state, HEAD)?;
        let time = state.take_numbers(TIME)?;
        fits(time.len() == 1, TIME)?;
        self.time = time[0] as u64;
        Ok(())
    }
}
