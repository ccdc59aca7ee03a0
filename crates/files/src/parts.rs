//! Unfinished files: their names, and what becomes of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A part file that nobody has written to for this long belongs to a process that was killed.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);
/// How the names of part files end.
pub(crate) const SUFFIX: &str = ".part";

/// Which part files are taken for those of killed processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untouched {
    /// Those that nobody has written to for an hour.
    ForAnHour,
    /// All, since the folder is [locked](crate::FolderLock) by this process.
    Locked,
}

/// Removes what killed processes left in a folder of files whose names `of` accepts, unfinished and of no use to anyone.
pub fn remove_parts(folder: &Path, of: impl Fn(&str) -> bool, untouched: Untouched) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_part = name.to_str().and_then(file_of_part).is_some_and(&of);
        let age = || {
            let modified = entry.metadata().and_then(|data| data.modified());
            modified.map_or(Duration::ZERO, |time| time.elapsed().unwrap_or_default())
        };
        if is_part && (untouched == Untouched::Locked || age() > ABANDONED_AFTER) {
            // Only saves room, so a failure is no reason to stop.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The file that a part was to become, by the part's name; `None` if it is no part's.
pub fn file_of_part(name: &str) -> Option<&str> {
    let inner = name.strip_prefix('.')?.strip_suffix(SUFFIX)?;
    // Behind the file's name stands what tells its parts apart.
    let (file, _) = inner.rsplit_once('.')?;
    Some(file)
}

/// The parts that this process is writing.
static UNDER_WAY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn all_under_way() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a part for [`remove_own_parts`] until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(PathBuf);

impl UnderWay {
    pub(crate) fn new(part: &Path) -> Self {
        all_under_way().insert(part.to_path_buf());
        Self(part.to_path_buf())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        all_under_way().remove(&self.0);
    }
}

/// Removes the unfinished files of this process, which is about to end without dropping what writes them.
pub fn remove_own_parts() {
    for part in &*all_under_way() {
        // There is nobody left to tell.
        let _ = fs::remove_file(part);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs::File;

    use super::*;
    use crate::NewFile;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn parts_of_killed_processes_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let old = std::time::SystemTime::now() - 2 * ABANDONED_AFTER;
        for name in [".big.aaaaaa.part", ".other.aaaaaa.part", "big", ".big.part"] {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(old).unwrap();
        }
        File::create(folder.path().join(".big.bbbbbb.part")).unwrap();
        let file = NewFile::create(&folder.path().join("big")).unwrap();
        file.remove_abandoned();
        drop(file);
        let left = [".big.bbbbbb.part", ".big.part", ".other.aaaaaa.part", "big"];
        assert_eq!(names(folder.path()), left);
        let all = |file: &str| file == "big" || file == "other";
        remove_parts(folder.path(), all, Untouched::Locked);
        assert_eq!(names(folder.path()), [".big.part", "big"]);
    }

    #[test]
    fn the_parts_of_an_ending_process_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let file = NewFile::create(&path).unwrap();
        let part = names(folder.path()).remove(0);
        assert_eq!(file_of_part(&part), Some("model"));
        remove_own_parts();
        assert!(names(folder.path()).is_empty());
        assert!(file.commit().is_err());
        assert!(names(folder.path()).is_empty());
    }
}
