//! Reading and writing parameter files.
#![allow(clippy::unwrap_used)]

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::nn::conv::Conv2dConfig;
use ckaad_parameters::{Initialisation, NamedTensor, NamedTensors, ParameterError, apply, collect};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name)
}

/// One parameter, `a`.
fn one(shape: Vec<usize>, values: Vec<f32>) -> NamedTensors {
    NamedTensors::from_iter([("a".to_owned(), NamedTensor { shape, values })])
}

/// The fixtures hold `conv.weight` (`0, 1/4, .. 7/4`), `bn.running_mean` in double precision, `half` in half precision, and
/// an integer counter.
#[test]
fn both_pytorch_formats_are_read() {
    for name in ["small_zip.pth", "small_legacy.pth"] {
        let tensors = NamedTensors::read(&fixture(name)).unwrap();
        let names: Vec<&str> = tensors.names().collect();
        assert_eq!(names, ["bn.running_mean", "conv.weight", "half"], "{name}");
        let weight = tensors.get("conv.weight").unwrap();
        assert_eq!(weight.shape, [2, 1, 2, 2]);
        assert_eq!(weight.values, [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]);
        assert_eq!(tensors.get("bn.running_mean").unwrap().values, [0.5, -0.25]);
        assert_eq!(tensors.get("half").unwrap().values, [1.5, -2.0]);
    }
}

/// As those of an `nn.Sequential` whose layers between have no parameters.
#[test]
fn numbers_in_names_are_kept() {
    let tensors = NamedTensors::read(&fixture("gaps.pth")).unwrap();
    let names: Vec<&str> = tensors.names().collect();
    assert_eq!(names, ["body.0.weight", "body.3.weight"]);
}

#[test]
fn safetensors_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.anything");
    let tensors = one(vec![2], vec![1.0, -0.5]);
    std::fs::write(&path, tensors.to_safetensors().unwrap()).unwrap();
    assert_eq!(NamedTensors::read(&path).unwrap(), tensors);
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(fixture("small_zip.pth")).unwrap();
    let contents: [&[u8]; 5] = [
        b"",
        b"short",
        b"this is a text file, not weights",
        &whole[..whole.len() / 2],
        &[0; 64],
    ];
    for (index, content) in contents.into_iter().enumerate() {
        let path = folder.path().join(format!("damaged_{index}.pth"));
        std::fs::write(&path, content).unwrap();
        let error = NamedTensors::read(&path).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(&format!("damaged_{index}.pth")), "{said}");
        assert!(error.source().is_some(), "{said}");
    }
    let absent = NamedTensors::read(&folder.path().join("absent.pth")).unwrap_err();
    assert!(absent.to_string().contains("absent.pth"));
    let cause: &std::io::Error = absent.source().unwrap().downcast_ref().unwrap();
    assert_eq!(cause.kind(), ErrorKind::NotFound);

    let path = folder.path().join("cut.safetensors");
    let whole = one(vec![2], vec![1.0, -0.5]).to_safetensors().unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let cut = NamedTensors::read(&path).unwrap_err();
    assert!(cut.source().unwrap().is::<safetensors::SafeTensorError>());
}

#[test]
fn a_shape_that_does_not_fit_its_values_is_named_with_its_cause() {
    let error = one(vec![3], vec![1.0, -0.5]).to_safetensors().unwrap_err();
    assert!(error.to_string().contains("the parameter a"), "{error}");
    assert!(error.source().unwrap().is::<safetensors::SafeTensorError>());
}

#[test]
fn what_does_not_fit_is_named() {
    let conv = || Conv2dConfig::new([1, 2], [3, 3]).init(&ckaad_device::cpu());
    let whole = collect(&Initialisation::KaimingNormal.fill(conv(), 3));
    assert_eq!(collect(&apply(conv(), &whole).unwrap()), whole);

    let mut odd = whole.clone();
    let bias = odd.remove("bias").unwrap();
    odd.insert("bia", bias);
    odd.insert(
        "weight",
        NamedTensor {
            shape: vec![1],
            values: vec![0.0],
        },
    );
    match apply(conv(), &odd).unwrap_err() {
        ParameterError::Mismatch {
            missing,
            unused,
            mis_shaped,
        } => {
            assert_eq!(
                (missing, unused),
                (vec!["bias".to_owned()], vec!["bia".to_owned()])
            );
            assert_eq!(
                mis_shaped,
                [("weight".to_owned(), vec![2, 1, 3, 3], vec![1])]
            );
        }
        other => panic!("{other}"),
    }
}

#[test]
fn starting_values_depend_on_seed_and_name_alone() {
    let fill = |seed| {
        collect(&Initialisation::KaimingNormal.fill(
            Conv2dConfig::new([16, 32], [3, 3]).init(&ckaad_device::cpu()),
            seed,
        ))
    };
    assert_eq!(fill(5), fill(5));
    assert_ne!(fill(5), fill(6));
    let weights = &fill(5);
    let values = &weights.get("weight").unwrap().values;
    let deviation = (values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32).sqrt();
    let expected = (2.0_f32 / (32.0 * 9.0)).sqrt();
    assert!(
        (deviation / expected - 1.0).abs() < 0.05,
        "{deviation} instead of {expected}"
    );
    assert!(
        weights
            .get("bias")
            .unwrap()
            .values
            .iter()
            .all(|&bias| bias == 0.0)
    );
}

#[test]
fn values_that_nothing_can_have_learned_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38, -1e38] {
        let path = folder.path().join("odd.safetensors");
        let bytes = one(vec![2], vec![1.0, value]).to_safetensors().unwrap();
        std::fs::write(&path, bytes).unwrap();
        let said = NamedTensors::read(&path).unwrap_err().to_string();
        let expected = format!("the parameter a holds {value:?}");
        assert!(
            said.contains("odd.safetensors") && said.contains(&expected),
            "{said}"
        );
    }
}
