//! Unfinished files that earlier versions of this program left where it was killed.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// How a model or a checkpoint begins behind the length of its header, whatever its version.
const OURS: &[u8] = br#"{"__metadata__":{"ckaad_"#;
/// Bytes of that length.
const LENGTH: usize = 8;

/// Removes them from a folder of a run that this process has locked. Their names, `.tmp` and six letters or digits, are those of many programs;
/// so only what begins as a model or a checkpoint goes, and anything else of such a name is the user's to judge.
pub(super) fn remove(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !entry.file_name().to_str().is_some_and(is_old_name) {
            continue;
        }
        let path = entry.path();
        match begins_as_ours(&path) {
            // Only saves room, so a failure is no reason to stop.
            true => drop(fs::remove_file(&path)),
            false => tracing::warn!(
                "{} has the name of an unfinished file of an earlier version of this program; delete it if nobody needs it",
                path.display()
            ),
        }
    }
}

fn is_old_name(name: &str) -> bool {
    let letters = name.strip_prefix(".tmp");
    letters.is_some_and(|rest| {
        rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn begins_as_ours(path: &Path) -> bool {
    let mut head = [0; LENGTH + OURS.len()];
    let filled = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    filled.is_ok() && head[LENGTH..] == *OURS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_certainly_ours_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let ours = [&[0; LENGTH][..], OURS, b"model"].concat();
        for (name, bytes) in [
            (".tmpaB3dE6", &ours[..]),
            (".tmpother12", &ours),
            (".tmpzzzzzz", b"a note"),
            (".tmpempty0", b""),
            ("tmpaB3dE6", &ours),
        ] {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        fs::create_dir(folder.path().join(".tmpfolder")).unwrap();
        remove(folder.path());
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(
            left,
            [
                ".tmpempty0",
                ".tmpfolder",
                ".tmpother12",
                ".tmpzzzzzz",
                "tmpaB3dE6"
            ]
        );
    }
}
