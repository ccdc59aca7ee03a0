//! The systems against figures recorded in double precision.
#![allow(clippy::unwrap_used)]

mod support;

use ckaad_parity::Check;
use support::{follows, follows_where};

/// What single precision keeps of networks of convolutions, with their many ReLUs. All is compared in double precision
/// (tests/double_precision.rs).
fn without_gradients(figure: &Check) -> bool {
    !figure.follows_gradients()
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
    follows_where("destseg.json", 42, without_gradients);
}

#[test]
fn ganomaly() {
    follows_where("ganomaly.json", 29, without_gradients);
}

#[test]
fn ae_flow() {
    follows_where("ae_flow.json", 19, without_gradients);
}

#[test]
fn aa_bigan() {
    follows_where("aa_bigan.json", 38, without_gradients);
}

#[test]
fn dmad() {
    follows_where("dmad.json", 39, without_gradients);
}

#[test]
fn draem() {
    follows_where("draem.json", 24, without_gradients);
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
    follows_where("rd4ad.json", 21, without_gradients);
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
    follows_where("fastflow.json", 19, without_gradients);
}

#[test]
fn differnet() {
    follows("differnet.json", 48);
}
