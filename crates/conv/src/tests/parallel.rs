//! Loops over tasks, and what tasks may write.

use super::reference::on_threads;
use crate::parallel::{Shared, for_each, serially};

#[test]
fn every_task_writes_its_own_part_once() {
    for threads in [1, 3] {
        let mut values = vec![0.0; 100];
        on_threads(threads, || {
            for_each(values.chunks_mut(7).enumerate(), |(task, part)| {
                // What a task runs in turn stays on its thread.
                serially(|| for_each(part, |x| *x += 1.0 + task as f32));
            });
        });
        let expected: Vec<f32> = (0..100).map(|i| 1.0 + (i / 7) as f32).collect();
        assert_eq!(values, expected);
    }
}

#[test]
#[should_panic(expected = "a place outside the shared slice")]
fn no_place_outside_a_shared_slice_is_handed_out() {
    Shared::new(&mut [0.0; 8]).at(8);
}
