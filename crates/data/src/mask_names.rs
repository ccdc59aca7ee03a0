//! How masks are named after their images.

/// What a mask's name may add to its image's, after `_` or `-`, whatever its case.
const SUFFIXES: [&str; 5] = ["mask", "gt", "label", "ground_truth", "seg"];
/// The names that are looked for, for messages.
pub(crate) const PATTERN: &str = "STEM, STEM_mask, STEM_gt, STEM_label, STEM_ground_truth, STEM_seg, each also with _NUMBER, or a folder STEM/";

/// Which part of an image's truth a mask file is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// All of it, or what is in no other file.
    Whole,
    /// One of several numbered files.
    Numbered(String),
    /// One of the files in a folder that is named after the image.
    InFolder(String),
}

/// The image stems that a mask of that stem may be for, the most literal first. Stems are in small letters.
pub(crate) fn readings(stem: &str) -> Vec<(&str, Part)> {
    let mut found = vec![(stem, Part::Whole)];
    found.extend(marked(stem));
    if let Some((base, number)) = numbered(stem) {
        found.push((base, Part::Numbered(number.to_owned())));
    }
    found
}

/// As [`readings`], only those that say that the file is a mask.
pub(crate) fn marked(stem: &str) -> Vec<(&str, Part)> {
    let mut found = Vec::new();
    if let Some(base) = without_suffix(stem) {
        found.push((base, Part::Whole));
        if let Some((base, number)) = numbered(base) {
            found.push((base, Part::Numbered(number.to_owned())));
        }
    }
    if let Some((base, number)) = numbered(stem)
        && let Some(base) = without_suffix(base)
    {
        found.push((base, Part::Numbered(number.to_owned())));
    }
    found
}

/// The stem without `_mask` or the like.
fn without_suffix(stem: &str) -> Option<&str> {
    SUFFIXES.iter().find_map(|suffix| {
        stem.strip_suffix(suffix)?
            .strip_suffix(['_', '-'])
            .filter(|base| !base.is_empty())
    })
}

/// The stem without `_12`, and the number.
fn numbered(stem: &str) -> Option<(&str, &str)> {
    let base = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &stem[base.len()..];
    let base = base.strip_suffix(['_', '-'])?;
    (!number.is_empty() && !base.is_empty()).then_some((base, number))
}
