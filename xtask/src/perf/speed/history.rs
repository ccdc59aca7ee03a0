//! Reports that are kept.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::report::Report;

/// The files of a report, named by date, commit and, unless they are the usual ones, device and precision.
pub(super) struct Place {
    json: PathBuf,
    markdown: PathBuf,
}

impl Place {
    /// In a folder that has no report of that name yet.
    pub(super) fn new(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let file = |ending| folder.join(format!("{name}.{ending}"));
        let place = Self {
            json: file("json"),
            markdown: file("md"),
        };
        for path in [&place.json, &place.markdown] {
            ensure!(
                !path.exists(),
                "{} is there already; move it away to measure again",
                path.display()
            );
        }
        std::fs::create_dir_all(folder)?;
        Ok(place)
    }

    pub(super) fn write(&self, report: &Report) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(report)? + "\n";
        ckaad_files::write(&self.json, json.as_bytes())?;
        ckaad_files::write(&self.markdown, report.markdown().as_bytes())?;
        eprintln!("written: {}", self.markdown.display());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_report_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let new = |name| Place::new(folder.path(), name);
        let place = new("abc").unwrap();
        std::fs::write(&place.json, "{}").unwrap();
        assert!(new("abc").is_err());
        assert!(new("abd").is_ok());
    }
}
