//! Which instruction set is used, and how the environment chooses.

use std::process::{Command, Stdio};

use crate::isa::Isa;

/// The instruction set that a process of [`the_environment_lowers_the_instruction_set`] is to use.
const EXPECTED: &str = "CKAAD_CONV_TEST_ISA";

#[test]
fn the_expected_instruction_set_is_used() {
    let expected = std::env::var(EXPECTED);
    assert_eq!(
        format!("{:?}", Isa::best()),
        expected.unwrap_or(format!("{:?}", Isa::best()))
    );
}

#[test]
fn the_environment_lowers_the_instruction_set() {
    let found = Isa::Amx.supported();
    for (name, isa) in [
        ("portable", Isa::Portable),
        ("avx2", Isa::Avx2),
        ("avx512", Isa::Avx512),
        ("avx512bf16", Isa::Avx512Bf16),
        ("amx", Isa::Amx),
    ] {
        if isa > found {
            eprintln!("SKIPPED in part: this processor lacks {isa:?}");
        }
        let run = |expected: Isa| {
            Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "tests::isa::the_expected_instruction_set_is_used",
                ])
                .env("CKAAD_CONV_ISA", name)
                .env(EXPECTED, format!("{expected:?}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap()
                .success()
        };
        let expected = isa.min(found);
        assert!(run(expected), "{name}");
        let other = if expected == Isa::Portable {
            Isa::Avx2
        } else {
            Isa::Portable
        };
        assert!(!run(other), "{name}");
    }
}
