//! As much of python's pickle format as a CIFAR-10 batch needs: dictionaries, lists, numbers, strings, and one numpy array of bytes.
//!
//! Nothing is imported or executed: names of functions are skipped, and building an object only keeps its state. Nesting is limited and
//! containers are never copied, so that no file can exhaust stack or memory.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

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

/// Deepest nesting of containers.
const DEPTH: usize = 32;
/// Most steps: a batch of 10,000 images takes about 50,000. Bounds the memory of what they build.
const MAX_STEPS: usize = 1 << 20;

#[derive(Clone, Debug)]
enum Value {
    /// None, booleans, functions, and whatever is of no interest.
    Other,
    Int(i64),
    /// Text or bytes: a range of the file.
    Bytes(Range<usize>),
    Items(Rc<Items>),
}

/// A tuple, a list, a dictionary (keys and values in turn) or the state of an object.
#[derive(Debug)]
struct Items {
    depth: usize,
    values: Vec<Value>,
}

impl Value {
    fn depth(&self) -> usize {
        if let Self::Items(items) = self {
            items.depth
        } else {
            0
        }
    }
}

/// The stack machine that a pickle is a program for.
struct Machine<'a> {
    data: &'a [u8],
    position: usize,
    stack: Vec<Value>,
    /// Stack heights at the marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
}

type Step<T> = Result<T, &'static str>;

/// Reads a batch.
pub(super) fn read_batch(data: &[u8]) -> Result<Batch, PickleError> {
    let mut machine = Machine {
        data,
        position: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
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

impl Machine<'_> {
    fn take(&mut self, n: usize) -> Step<Range<usize>> {
        let end = self
            .position
            .checked_add(n)
            .filter(|&end| end <= self.data.len())
            .ok_or("the file is truncated")?;
        let range = self.position..end;
        self.position = end;
        Ok(range)
    }

    fn skip(&mut self, n: usize) -> Step<()> {
        self.take(n).map(|_| ())
    }

    /// A little-endian number of `n` bytes.
    fn number(&mut self, n: usize) -> Step<u64> {
        let range = self.take(n)?;
        Ok(self.data[range]
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// A string whose length is a number of `n` bytes.
    fn string(&mut self, n: usize) -> Step<()> {
        let length = usize::try_from(self.number(n)?).map_err(|_| "a string is too long")?;
        let range = self.take(length)?;
        self.stack.push(Value::Bytes(range));
        Ok(())
    }

    /// Skips to the end of a line.
    fn line(&mut self) -> Step<()> {
        let length = self.data[self.position..]
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or("the file is truncated")?;
        self.skip(length + 1)
    }

    fn pop(&mut self) -> Step<Value> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("it takes more from its stack than is there");
        }
        self.stack
            .pop()
            .ok_or("it takes more from its stack than is there")
    }

    fn pop_to_mark(&mut self) -> Step<Vec<Value>> {
        let mark = self.marks.pop().ok_or("a mark is missing")?;
        Ok(self.stack.split_off(mark))
    }

    fn push_items(&mut self, values: Vec<Value>) -> Step<()> {
        let depth = 1 + values.iter().map(Value::depth).max().unwrap_or(0);
        if depth > DEPTH {
            return Err("it is nested too deeply");
        }
        self.stack
            .push(Value::Items(Rc::new(Items { depth, values })));
        Ok(())
    }

    /// Adds values to the list or dictionary on the stack.
    fn extend(&mut self, mut values: Vec<Value>) -> Step<()> {
        let Value::Items(items) = self.pop()? else {
            return Err("it adds to what is not a list");
        };
        let added = 1 + values.iter().map(Value::depth).max().unwrap_or(0);
        if added > DEPTH {
            return Err("it is nested too deeply");
        }
        // The memo never holds containers, so this is the only reference.
        let mut items = Rc::try_unwrap(items).map_err(|_| "it adds to a shared list")?;
        items.values.append(&mut values);
        items.depth = items.depth.max(added);
        self.stack.push(Value::Items(Rc::new(items)));
        Ok(())
    }

    /// Pops `n` values as a tuple.
    fn tuple(&mut self, n: usize) -> Step<()> {
        let mut values = Vec::with_capacity(n);
        for _ in 0..n {
            values.push(self.pop()?);
        }
        values.reverse();
        self.push_items(values)
    }

    /// Remembers the top of the stack. Containers are forgotten: no batch refers to one twice.
    fn remember(&mut self, key: u32) -> Step<()> {
        let value = match self.stack.last().ok_or("its stack is empty")? {
            Value::Items(_) => Value::Other,
            simple => simple.clone(),
        };
        self.memo.insert(key, value);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Step<()> {
        self.stack.push(
            self.memo
                .get(&key)
                .cloned()
                .ok_or("it recalls what it never stored")?,
        );
        Ok(())
    }

    /// Runs to the STOP opcode.
    fn run(&mut self) -> Step<Value> {
        for _ in 0..MAX_STEPS {
            let opcode = self.number(1)? as u8;
            match opcode {
                b'.' => return self.pop(),
                0x80 => self.skip(1)?,
                0x95 => self.skip(8)?,
                b'(' => self.marks.push(self.stack.len()),
                b'}' | b']' | b')' => self.push_items(Vec::new())?,
                b'N' => self.stack.push(Value::Other),
                0x88 => self.stack.push(Value::Int(1)),
                0x89 => self.stack.push(Value::Int(0)),
                b'K' | b'M' => {
                    let number = self.number(if opcode == b'K' { 1 } else { 2 })?;
                    self.stack.push(Value::Int(number as i64));
                }
                b'J' => {
                    let number = self.number(4)? as u32 as i32;
                    self.stack.push(Value::Int(number.into()));
                }
                b'U' | b'C' | 0x8C => self.string(1)?,
                b'T' | b'B' | b'X' => self.string(4)?,
                0x8D | 0x8E => self.string(8)?,
                b'q' | b'r' => {
                    let key = self.number(if opcode == b'q' { 1 } else { 4 })? as u32;
                    self.remember(key)?;
                }
                0x94 => self.remember(self.memo.len() as u32)?,
                b'h' | b'j' => {
                    let key = self.number(if opcode == b'h' { 1 } else { 4 })? as u32;
                    self.recall(key)?;
                }
                b'c' => {
                    self.line()?;
                    self.line()?;
                    self.stack.push(Value::Other);
                }
                0x93 => {
                    self.pop()?;
                    self.pop()?;
                    self.stack.push(Value::Other);
                }
                0x85..=0x87 => self.tuple(usize::from(opcode - 0x84))?,
                b't' => {
                    let values = self.pop_to_mark()?;
                    self.push_items(values)?;
                }
                b'R' => {
                    // The arguments are all that is known of what the function would give.
                    let arguments = self.pop()?;
                    self.pop()?;
                    self.stack.push(arguments);
                }
                b'b' => {
                    let state = self.pop()?;
                    self.pop()?;
                    self.stack.push(state);
                }
                b'a' => {
                    let value = self.pop()?;
                    self.extend(vec![value])?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.extend(vec![key, value])?;
                }
                b'e' | b'u' => {
                    let values = self.pop_to_mark()?;
                    self.extend(values)?;
                }
                _ => {
                    return Err("it uses a part of the pickle format that CIFAR-10 batches do not");
                }
            }
        }
        Err("it is longer than a CIFAR-10 batch")
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
