//! As much of python's pickle format as a CIFAR-10 batch needs: dictionaries, lists, numbers, strings, and one numpy array of bytes.
//!
//! Nothing is imported or executed: names of functions are skipped, and building an object only keeps its state. Nesting is limited and
//! containers are never copied, so that no file can exhaust stack or memory.

mod machine;

use std::ops::Range;

use machine::{Machine, Step, Value};

/// The content of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) labels: Vec<i64>,
    /// Where the pixels are in the file.
    pub(super) pixels: Range<usize>,
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct PickleError {
    pub(super) position: usize,
    pub(super) reason: &'static str,
}

/// Reads a batch.
pub(super) fn read_batch(data: &[u8]) -> Result<Batch, PickleError> {
    let mut machine = Machine::new(data);
    machine
        .run()
        .and_then(|value| batch(data, &value))
        .map_err(|reason| PickleError {
            position: machine.position,
            reason,
        })
}

/// Takes labels and pixels out of the dictionary.
fn batch(data: &[u8], value: &Value) -> Step<Batch> {
    let Value::Items(dictionary) = value else {
        return Err("it is not a dictionary");
    };
    let entry = |name: &[u8]| {
        let mut pairs = dictionary.values.chunks_exact(2);
        pairs
            .find(|pair| matches!(&pair[0], Value::Bytes(range) if &data[range.clone()] == name))
            .map(|pair| &pair[1])
    };
    let Some(Value::Items(labels)) = entry(b"labels") else {
        return Err("it has no list \"labels\"");
    };
    let number = |value: &Value| {
        if let Value::Int(number) = value {
            Ok(*number)
        } else {
            Err("a label is not a number")
        }
    };
    let labels = labels
        .values
        .iter()
        .map(number)
        .collect::<Step<Vec<i64>>>()?;
    // The state of an array: version, shape, type, column-major or not, bytes.
    let Some(Value::Items(array)) = entry(b"data") else {
        return Err("it has no array \"data\"");
    };
    match array.values.as_slice() {
        [_, _, _, Value::Int(0), Value::Bytes(pixels)] => Ok(Batch {
            labels,
            pixels: pixels.clone(),
        }),
        _ => Err("\"data\" is not a row-major array of bytes"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hostile_programs_are_errors() {
        for program in [
            &b""[..],
            b".",
            b"(",
            b"N.",
            b"}.",
            b"]q\0h\0.",
            b"T\xff\xff\xff\xffab.",
            b"e.",
            b"]N}a.",
        ] {
            assert!(read_batch(program).is_err(), "{program:?}");
        }
        let mut deep = b")".to_vec();
        deep.extend([0x85; 100_000]);
        deep.push(b'.');
        assert_eq!(
            read_batch(&deep).unwrap_err().reason,
            "it is nested too deeply"
        );
    }
}
