//! What `cargo test` runs of the fuzz targets: the seeds, and damage to them that is the same every time.

use std::path::{Path, PathBuf};

/// Inputs of a target: their names and contents.
pub(crate) type Seeds = Vec<(String, Vec<u8>)>;

/// The folder that this file lies in.
pub(crate) fn folder() -> PathBuf {
    let mut folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    while !folder.join("fuzz/smoke.rs").is_file() {
        folder = folder.parent().expect("the tests run in the repository");
    }
    folder.join("fuzz")
}

/// The files of a folder, in the order of their names.
pub(crate) fn files(folder: &Path) -> Seeds {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Seeds = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Asserts that the seeds of a target are valid, but for those named `bad-...`, and runs `times` damaged ones. `more` are further valid seeds.
pub(crate) fn smoke(target: &str, more: Seeds, times: usize, parse: impl Fn(&[u8]) -> bool) {
    let mut seeds = files(&folder().join("seeds").join(target));
    seeds.extend(more);
    for (name, bytes) in &seeds {
        assert_eq!(parse(bytes), !name.starts_with("bad-"), "{target}/{name}");
    }
    parse(b"");
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ target.len() as u64);
    for _ in 0..times {
        let (_, seed) = &seeds[random.below(seeds.len())];
        let (_, other) = &seeds[random.below(seeds.len())];
        parse(&damaged(seed, other, &mut random));
    }
}

/// The xorshift generator of Marsaglia (2003) on 64 bits.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }
}

/// The seed after a few changes: bytes flipped or replaced, numbers of the ends of ranges written, pieces cut out, repeated or taken from another
/// seed, the end cut off.
fn damaged(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = at + random.below((bytes.len() - at).min(64));
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            2 => {
                let number = [0, 1, u64::MAX, 1 << 31, 1 << 40, i64::MAX as u64][random.below(6)];
                for (byte, value) in bytes[at..]
                    .iter_mut()
                    .take(1 << random.below(4))
                    .zip(number.to_le_bytes())
                {
                    *byte = value;
                }
            }
            3 => drop(bytes.drain(at..end)),
            4 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => {
                let from = random.below(other.len());
                let piece = &other[from..(from + random.below(64)).min(other.len())];
                bytes.splice(at..end, piece.iter().copied());
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}
