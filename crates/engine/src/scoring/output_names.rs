use std::collections::{HashMap, HashSet};
use std::hash::Hasher;
use std::path::{Component, Path};

use fnv::FnvHasher;

/// Parents that are tried before numbers are.
const PARENTS: usize = 16;
/// Bytes of a name that every file system takes with any of the endings of outputs behind it.
const LONGEST: usize = 200;

/// A name for the outputs of each input, no two alike even where the case of letters does not count: its stem, with as many
/// parent folders before it as tell it from the others, then its ending, and at last a number. One that would be too long for a file is
/// cut, and ends in a digest of the whole.
pub(crate) fn output_names(inputs: &[impl AsRef<Path>]) -> Vec<String> {
    let mut names: Vec<String> = inputs.iter().map(|path| name(path.as_ref(), 0)).collect();
    for parents in 1..PARENTS {
        for index in clashes(&names) {
            names[index] = name(inputs[index].as_ref(), parents);
        }
    }
    for index in clashes(&names) {
        if let Some(ending) = inputs[index].as_ref().extension() {
            names[index] = format!("{}_{}", names[index], ending.to_string_lossy());
        }
    }
    let mut taken = HashSet::new();
    for name in &mut names {
        shorten(name);
        let stem = name.clone();
        let mut number = 2;
        while !taken.insert(name.to_lowercase()) {
            *name = format!("{stem}_{number}");
            number += 1;
        }
    }
    names
}

/// The stem with so many folders before it.
fn name(path: &Path, parents: usize) -> String {
    let stem = path.with_extension("");
    let parts: Vec<_> = stem
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy()),
            _ => None,
        })
        .collect();
    parts[parts.len().saturating_sub(parents + 1)..].join("_")
}

/// Cuts a name that is too long.
fn shorten(name: &mut String) {
    if name.len() > LONGEST {
        let mut digest = FnvHasher::default();
        digest.write(name.as_bytes());
        let digest = format!("_{:016x}", digest.finish());
        name.truncate(name.floor_char_boundary(LONGEST - digest.len()));
        name.push_str(&digest);
    }
}

/// The positions of names that stand there more than once.
fn clashes(names: &[String]) -> Vec<usize> {
    let mut count: HashMap<String, usize> = HashMap::new();
    for name in names {
        *count.entry(name.to_lowercase()).or_insert(0) += 1;
    }
    (0..names.len())
        .filter(|&index| count[&names[index].to_lowercase()] > 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_stems_get_their_parents() {
        assert_eq!(
            output_names(&["a/x.png", "b/x.png", "b/y.png"]),
            ["a_x", "b_x", "y"]
        );
        assert_eq!(
            output_names(&["a/x.png", "a/x.jpg"]),
            ["a_x_png", "a_x_jpg"]
        );
    }

    #[test]
    fn what_parents_cannot_tell_apart_is_numbered() {
        assert_eq!(
            output_names(&["a/x.png", "b/x.png", "a_x.png"]),
            ["a_x_png", "b_x", "a_x_png_2"]
        );
        assert_eq!(output_names(&["./a.png", "a.png"]), ["a_png", "a_png_2"]);
        assert_eq!(
            output_names(&["line1/x.png", "../line1/x.png"]),
            ["line1_x_png", "line1_x_png_2"]
        );
        assert_eq!(output_names(&["a.png", "A.png"]), ["a_png", "A_png_2"]);
    }

    #[test]
    fn names_too_long_for_a_file_are_cut_and_stay_apart() {
        let long = "ö".repeat(120);
        let names = output_names(&[format!("{long}a.png"), format!("{long}b.png")]);
        assert!(
            names
                .iter()
                .all(|name| name.len() <= LONGEST && name.starts_with("öö")),
            "{names:?}"
        );
        assert_ne!(names[0], names[1]);
    }

    proptest! {
        #[test]
        fn no_two_names_are_alike(inputs in prop::collection::vec("(\\.\\./|\\./)?([abA_]/){0,2}[abA_]{1,2}(_png)?(_2)?\\.(png|PNG|jpg)", 1..30)) {
            let names: HashSet<String> = output_names(&inputs).iter().map(|name| name.to_lowercase()).collect();
            prop_assert_eq!(names.len(), inputs.len());
        }
    }
}
