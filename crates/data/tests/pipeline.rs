//! From a folder to batches: the same bytes whatever the number of workers and wherever the training resumes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ckaad_data::*;

fn number(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

/// Stores of a small stand-in: normal and labelled images of 32 pixels.
fn stores(dir: &Path) -> (Arc<ImageStore>, Arc<ImageStore>) {
    synth_layout(
        Layout::ChestXRay2017,
        &[],
        dir,
        5,
        StandIn {
            side: 40,
            train: 11,
            test: 1,
        },
    )
    .unwrap();
    let dataset = Dataset::open(Layout::ChestXRay2017, dir, None).unwrap();
    let split = Protocol {
        labelled: Labelled::Ratio(0.25),
        seed: 3,
        ..Protocol::default()
    }
    .split(&dataset)
    .unwrap();
    assert_eq!(
        (
            split.normal.len(),
            split.labelled.len(),
            split.validation.len()
        ),
        (10, 3, 2)
    );
    let options = StoreOptions {
        size: 32,
        ..StoreOptions::DEFAULT
    };
    let load = |samples: &[Sample]| Arc::new(ImageStore::load(samples, options, None).unwrap().0);
    (load(&split.normal), load(&split.labelled))
}

#[test]
fn batches_do_not_depend_on_workers_or_on_resuming() {
    let dir = tempfile::tempdir().unwrap();
    let (normal, labelled) = stores(dir.path());
    for anomalies in [
        Anomalies::None,
        Anomalies::Labelled(labelled),
        Anomalies::Elastic(ElasticTransform::default()),
        Anomalies::Perlin(PerlinAnomalies {
            textures: Textures::Procedural,
            percent: 50,
        }),
    ] {
        let batches = TrainBatches::new(
            Arc::clone(&normal),
            anomalies,
            number(4),
            Order::Shuffled,
            9,
        );
        assert_eq!(batches.schedule().steps_in(0), 2);
        let run = |first, workers, bytes| -> Vec<TrainBatch> {
            let workers = number(workers);
            batches
                .prefetch(first, 4, Ahead { workers, bytes })
                .collect()
        };
        let expected = run(0, 1, 0);
        assert_eq!(expected.len(), 8);
        for workers in [1, 2, 4] {
            assert_eq!(run(0, workers, 1 << 20), expected, "{workers} workers");
            let resumed = run(3, workers, 300_000);
            assert_eq!(resumed, expected[3..], "resumed in the middle of epoch 1");
        }
        assert_ne!(
            expected[0].normal, expected[2].normal,
            "epochs are shuffled differently"
        );
        let lengths: Vec<usize> = expected
            .iter()
            .map(|batch| batch.anomalous.len() / (3 * 32 * 32))
            .collect();
        assert!(lengths.iter().all(|&n| n == lengths[0]) && [0, 3, 4].contains(&lengths[0]));
    }
}

#[test]
fn elastic_anomalies_are_new_in_every_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let (normal, _) = stores(dir.path());
    let transform = ElasticTransform::default();
    let image = normal.image(0);
    assert_eq!(
        transform.apply(&image, 1, 2, 3),
        transform.apply(&image, 1, 2, 3)
    );
    for other in [[2, 2, 3], [1, 3, 3], [1, 2, 4]] {
        assert_ne!(
            transform.apply(&image, 1, 2, 3),
            transform.apply(&image, other[0], other[1], other[2])
        );
    }
}

#[test]
fn a_mapped_store_holds_the_same_bytes_as_one_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    synth_layout(
        Layout::Oct2017,
        &[],
        dir.path(),
        5,
        StandIn {
            side: 40,
            train: 3,
            test: 1,
        },
    )
    .unwrap();
    let samples = Dataset::open(Layout::Oct2017, dir.path(), None)
        .unwrap()
        .train;
    let load = |memory_limit| {
        ImageStore::load(
            &samples,
            StoreOptions {
                size: 48,
                memory_limit,
                ..StoreOptions::DEFAULT
            },
            None,
        )
        .unwrap()
        .0
    };
    let (memory, mapped) = (load(u64::MAX), load(1000));
    assert_eq!(memory.len(), 12);
    for (index, sample) in samples.iter().enumerate() {
        assert_eq!(memory.pixels(index), mapped.pixels(index));
        assert_eq!(memory.image(index), load_image(&sample.path, 48).unwrap());
    }
}

#[test]
fn an_unreadable_image_is_named_and_skipped_only_on_request() {
    let dir = tempfile::tempdir().unwrap();
    synth_layout(
        Layout::Folder,
        &[],
        dir.path(),
        5,
        StandIn {
            side: 32,
            train: 4,
            test: 1,
        },
    )
    .unwrap();
    std::fs::write(dir.path().join("normal/2.png"), "not a picture").unwrap();
    let samples = Dataset::open(Layout::Folder, dir.path(), None)
        .unwrap()
        .train;
    let normal: Vec<Sample> = samples
        .into_iter()
        .filter(|s| s.label == Label::Normal)
        .collect();
    let options = StoreOptions {
        size: 32,
        ..StoreOptions::DEFAULT
    };
    let error = ImageStore::load(&normal, options, None).unwrap_err();
    assert!(
        matches!(&error, DataError::UnreadableImages { bad, total: 4 } if bad.len() == 1),
        "{error}"
    );
    assert!(error.to_string().contains("normal/2.png"), "{error}");

    let calls = AtomicUsize::new(0);
    let progress = |done: usize, total: usize| {
        assert!(done <= total);
        calls.fetch_add(1, Ordering::Relaxed);
    };
    let (store, skipped) = ImageStore::load(
        &normal,
        StoreOptions {
            on_bad: OnBad::Skip,
            ..options
        },
        Some(&progress),
    )
    .unwrap();
    assert_eq!((store.len(), skipped.len(), calls.into_inner()), (3, 1, 4));
    assert!(skipped[0].sample.path.to_string().ends_with("normal/2.png"));
    for (index, sample) in store.samples().iter().enumerate() {
        assert_eq!(
            store.image(index),
            load_image(&sample.path, 32).unwrap(),
            "images stay with their samples"
        );
    }

    normal
        .iter()
        .for_each(|sample| std::fs::write(sample.path.file(), "x").unwrap());
    assert!(
        ImageStore::load(
            &normal,
            StoreOptions {
                on_bad: OnBad::Skip,
                ..options
            },
            None
        )
        .is_err(),
        "all bad"
    );
}
