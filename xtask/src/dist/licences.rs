//! The licences of what a program is linked with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde::Deserialize;

use super::{output, root};

/// How names of files with licences begin, in small letters.
const NAMES: [&str; 6] = [
    "licen",
    "copying",
    "copyright",
    "notice",
    "unlicense",
    "ofl",
];

/// What `cargo metadata` says of packages, and which of them are linked.
#[derive(Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
    /// Name and version, as `cargo tree` says: the metadata have more than the features ask for.
    #[serde(skip)]
    linked: BTreeSet<(String, String)>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    license_file: Option<PathBuf>,
    repository: Option<String>,
    manifest_path: PathBuf,
    /// `None` for what is in this repository.
    source: Option<String>,
}

impl Metadata {
    pub(super) fn read(host: &str, features: &[String]) -> anyhow::Result<Self> {
        let asked = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO"));
            command
                .current_dir(root().join("crates/cli"))
                .args(arguments);
            if !features.is_empty() {
                command.arg("--features").arg(features.join(","));
            }
            output(&mut command)
        };
        let metadata = ["metadata", "--format-version", "1", "--locked"];
        let mut found: Self = serde_json::from_str(&asked(&metadata)?)
            .context("cargo's metadata are not understood")?;
        let tree = [
            "tree",
            "--package",
            "ckaad",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ];
        let tree = [&tree[..], &["--locked", "--target", host]].concat();
        found.linked = names(&asked(&tree)?);
        Ok(found)
    }

    /// The version of a package of this repository.
    pub(super) fn version(&self, name: &str) -> anyhow::Result<&str> {
        Ok(&self.own(name)?.version)
    }

    fn own(&self, name: &str) -> anyhow::Result<&Package> {
        let own = |package: &&Package| package.name == name && package.source.is_none();
        let found = self.packages.iter().find(own);
        found.with_context(|| format!("there is no package {name}"))
    }

    /// The packages of others that `ckaad` is linked with, by name.
    fn linked(&self) -> Vec<&Package> {
        let is = |package: &&Package| {
            let name = (package.name.clone(), package.version.clone());
            package.source.is_some() && self.linked.contains(&name)
        };
        let mut linked: Vec<&Package> = self.packages.iter().filter(is).collect();
        linked.sort_by_key(|package| (&package.name, &package.version));
        linked
    }

    /// A list of the packages, and every licence text with the packages that carry it.
    pub(super) fn third_party(&self) -> anyhow::Result<String> {
        let linked = self.linked();
        let mut text =
            "ckaad is linked with these packages of others, under the licences named:\n\n"
                .to_owned();
        let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut bare = Vec::new();
        for package in linked {
            let name = format!("{} {}", package.name, package.version);
            let licence = package.license.as_deref().unwrap_or("see its file");
            let address = package.repository.as_deref().unwrap_or("crates.io");
            text += &format!("{name}  {licence}  {address}\n");
            let files = package.texts()?;
            if files.is_empty() {
                bare.push(format!("{name}  {licence}"));
            }
            for content in files {
                texts.entry(content).or_default().push(name.clone());
            }
        }
        if !bare.is_empty() {
            text += "\nThese come without a text; the licences that they name are among those below, or at spdx.org/licenses:\n\n";
            text += &(bare.join("\n") + "\n");
        }
        let mut texts: Vec<(Vec<String>, String)> = texts
            .into_iter()
            .map(|(text, names)| (names, text))
            .collect();
        texts.sort();
        for (names, content) in texts {
            let line = "=".repeat(80);
            text += &format!(
                "\n{line}\n{}\n{line}\n\n{}\n",
                names.join(", "),
                content.trim()
            );
        }
        Ok(text)
    }
}

/// Names and versions in a list of `cargo tree`: `name v1.2.3 (what else is known)`.
fn names(tree: &str) -> BTreeSet<(String, String)> {
    let name = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        let version = rest.split(' ').next()?;
        Some((name.to_owned(), version.to_owned()))
    };
    tree.lines().filter_map(name).collect()
}

impl Package {
    /// The licence texts in its folder.
    fn texts(&self) -> anyhow::Result<BTreeSet<String>> {
        let folder = self.manifest_path.parent().unwrap_or(Path::new("."));
        let entries = fs::read_dir(folder).with_context(|| {
            format!(
                "the source of {} is not at hand: run `cargo fetch`",
                self.name
            )
        })?;
        let mut files: BTreeSet<PathBuf> = BTreeSet::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.to_lowercase();
            let code = Path::new(&name).extension().is_some_and(|of| of == "rs");
            if !code && path.is_file() && NAMES.iter().any(|start| name.starts_with(start)) {
                files.insert(path);
            }
        }
        files.extend(self.license_file.as_ref().map(|file| folder.join(file)));
        let mut texts = BTreeSet::new();
        for file in files {
            let bytes =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            texts.insert(text.trim().to_owned());
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn package(folder: &Path, name: &str, source: Option<&str>) -> serde_json::Value {
        json!({
            "name": name, "version": "1.0.0", "license": "MIT", "license_file": null,
            "repository": format!("https://{name}"), "manifest_path": folder.join(name).join("Cargo.toml"), "source": source,
        })
    }

    #[test]
    fn what_is_linked_is_named_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for (name, file, text) in [
            ("a", "LICENSE-MIT", "the text\r\nof MIT"),
            ("b", "COPYING", "the text\nof MIT\n"),
            ("tool", "LICENSE", "of a tool"),
            ("bare", "license.rs", "code"),
        ] {
            fs::create_dir(at.join(name)).unwrap();
            fs::write(at.join(name).join(file), text).unwrap();
        }
        let others = Some("registry");
        let metadata = json!({
            "packages": [
                package(at, "ckaad", None), package(at, "own", None), package(at, "a", others), package(at, "b", others),
                package(at, "tool", others), package(at, "bare", others),
            ],
        });
        let mut metadata: Metadata = serde_json::from_value(metadata).unwrap();
        metadata.linked = names(
            "ckaad v1.0.0 (/x/cli)\nown v1.0.0 (/x/own)\na v1.0.0\nb v1.0.0\nbare v1.0.0 (proc-macro)\na v1.0.0 (*)\ntool v2.0.0\n",
        );
        let text = metadata.third_party().unwrap();
        assert!(text.contains("\na 1.0.0  MIT  https://a\n"), "{text}");
        // One text for both.
        assert!(text.contains("\na 1.0.0, b 1.0.0\n"), "{text}");
        assert_eq!(text.matches("the text\nof MIT").count(), 1);
        assert!(
            text.contains("\nbare 1.0.0  MIT\n") && !text.contains("code"),
            "{text}"
        );
        assert!(
            !text.contains("tool") && !text.contains("own 1.0.0"),
            "{text}"
        );
    }
}
