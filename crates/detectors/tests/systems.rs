//! The systems against figures recorded in double precision.
#![allow(clippy::unwrap_used)]

mod support;

use support::{follows, follows_where};

/// What single precision keeps of systems whose gradients depend on which side of a ReLU an activation falls; the rest is compared in double
/// precision (tests/double_precision.rs).
fn without_gradients(name: &str) -> bool {
    let after = ["moved.", "trained."].map(|kind| name.starts_with(kind));
    !name.contains("grad") && after == [false; 2]
}

#[test]
fn patchcore() {
    follows("patchcore.json", 30);
}

#[test]
fn deep_sad() {
    follows("deep_sad.json", 31);
}

#[test]
fn devnet() {
    follows("devnet.json", 31);
}

#[test]
fn dra() {
    follows("dra.json", 65);
}

#[test]
fn destseg() {
    follows("destseg.json", 60);
}

#[test]
fn ganomaly() {
    follows("ganomaly.json", 40);
}

#[test]
fn ae_flow() {
    follows("ae_flow.json", 60);
}

#[test]
fn aa_bigan() {
    follows("aa_bigan.json", 60);
}

#[test]
fn dmad() {
    follows("dmad.json", 60);
}

/// All but the gradients of later steps, whose direct and Winograd convolutions differ in the last digits.
#[test]
fn draem() {
    let later = |name: &str| name.contains("grad") && name.starts_with("step.");
    follows_where("draem.json", 30, |name| {
        !later(name) || name.starts_with("step.0")
    });
}

#[test]
fn prenet() {
    follows("prenet.json", 29);
}

#[test]
fn padim() {
    follows("padim.json", 11);
}

#[test]
fn rd4ad() {
    follows("rd4ad.json", 42);
}

#[test]
fn rdpp() {
    follows_where("rdpp.json", 29, without_gradients);
}

#[test]
fn recontrast() {
    follows_where("recontrast.json", 30, without_gradients);
}

#[test]
fn fastflow() {
    follows("fastflow.json", 43);
}

#[test]
fn differnet() {
    follows("differnet.json", 48);
}
