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

/// What `cargo metadata` says.
#[derive(Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    license_file: Option<PathBuf>,
    repository: Option<String>,
    manifest_path: PathBuf,
    /// `None` for what is in this repository.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// `None` for what is linked; else for builds or tests.
    kind: Option<String>,
}

impl Metadata {
    pub(super) fn read(host: &str, features: &[String]) -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO"));
        command
            .current_dir(root().join("crates/cli"))
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(["--filter-platform", host]);
        if !features.is_empty() {
            command.arg("--features").arg(features.join(","));
        }
        serde_json::from_str(&output(&mut command)?).context("cargo's metadata are not understood")
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
    fn linked(&self) -> anyhow::Result<Vec<&Package>> {
        let nodes: BTreeMap<&str, &Node> = self
            .resolve
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node))
            .collect();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![self.own("ckaad")?.id.as_str()];
        while let Some(id) = waiting.pop() {
            if let (true, Some(node)) = (seen.insert(id), nodes.get(id)) {
                let linked = |of: &&Dependency| of.dep_kinds.iter().any(|of| of.kind.is_none());
                waiting.extend(node.deps.iter().filter(linked).map(|of| of.pkg.as_str()));
            }
        }
        let is =
            |package: &&Package| seen.contains(package.id.as_str()) && package.source.is_some();
        let mut linked: Vec<&Package> = self.packages.iter().filter(is).collect();
        linked.sort_by_key(|package| (&package.name, &package.version));
        Ok(linked)
    }

    /// A list of the packages, and every licence text with the packages that carry it.
    pub(super) fn third_party(&self) -> anyhow::Result<String> {
        let linked = self.linked()?;
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
            "id": name, "name": name, "version": "1.0.0", "license": "MIT", "license_file": null,
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
        let dep =
            |name: &str, kind: Option<&str>| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let others = Some("registry");
        let metadata = json!({
            "packages": [
                package(at, "ckaad", None), package(at, "own", None), package(at, "a", others), package(at, "b", others),
                package(at, "tool", others), package(at, "bare", others),
            ],
            "resolve": {"nodes": [
                {"id": "ckaad", "deps": [dep("own", None), dep("tool", Some("dev"))]},
                {"id": "own", "deps": [dep("a", None), dep("bare", None), dep("tool", Some("build"))]},
                {"id": "a", "deps": [dep("b", None)]},
                {"id": "b", "deps": [dep("a", None)]},
                {"id": "bare", "deps": []},
                {"id": "tool", "deps": []},
            ]},
        });
        let metadata: Metadata = serde_json::from_value(metadata).unwrap();
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
