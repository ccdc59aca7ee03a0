//! `cargo xtask dist`: the archive that is given to others.

mod archive;
mod licences;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

use archive::Entry;
use licences::Metadata;

/// Files of the repository that the archive holds, as they lie there.
const FILES: [&str; 6] = [
    "README.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "docs/guide.md",
    "docs/report.png",
];

/// Options of `dist`.
#[derive(Debug, clap::Args)]
pub(crate) struct DistArgs {
    /// Folder for the archive and its SHA-256
    #[arg(long, value_name = "DIR", default_value = "dist")]
    out: PathBuf,
    /// Features of `ckaad` beside the default ones (cuda, wgpu, vulkan, metal), separated by commas
    #[arg(long, value_delimiter = ',')]
    features: Vec<String>,
    /// Pack this program instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// Builds, and packs what was built with everything that belongs to it.
pub(crate) fn run(args: &DistArgs) -> anyhow::Result<()> {
    let root = root();
    let host = host()?;
    let binary = match &args.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => build(&args.features)?,
    };
    let metadata = Metadata::read(&host, &args.features)?;
    let name = format!("ckaad-{}-{host}", metadata.version("ckaad")?);
    let entries = entries(&root, &binary, &metadata)?;
    let bytes = archive::pack(&name, &entries)?;
    let file = args.out.join(format!("{name}.tar.gz"));
    ckaad_files::write(&file, &bytes)?;
    let digest = archive::digest(&bytes);
    let line = format!("{digest}  {name}.tar.gz\n");
    ckaad_files::write(
        &args.out.join(format!("{name}.tar.gz.sha256")),
        line.as_bytes(),
    )?;
    let program = fs::metadata(&binary)?.len();
    println!("{}: {}", file.display(), megabytes(bytes.len() as u64));
    println!("program: {}", megabytes(program));
    println!("SHA-256: {digest}");
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The kind of machine that programs are built for, as Rust names it.
fn host() -> anyhow::Result<String> {
    let said = output(Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

/// What a program prints.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().display().to_string();
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    ensure!(output.status.success(), "{name} failed");
    String::from_utf8(output.stdout).with_context(|| format!("{name} prints no text"))
}

/// The stripped program, optimised over all of its parts (profile `dist`).
fn build(features: &[String]) -> anyhow::Result<PathBuf> {
    eprintln!("building ckaad (dist)");
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(root())
        .args([
            "build",
            "--profile",
            "dist",
            "-p",
            "ckaad",
            "--bin",
            "ckaad",
        ])
        .arg("--message-format=json-render-diagnostics");
    if !features.is_empty() {
        command.arg("--features").arg(features.join(","));
    }
    let said = output(&mut command)?;
    said.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|artifact| Some(PathBuf::from(artifact.get("executable")?.as_str()?)))
        .find(|path| path.file_stem().is_some_and(|stem| stem == "ckaad"))
        .context("cargo names no program ckaad")
}

/// Everything in the archive, by its path in it.
fn entries(root: &Path, binary: &Path, metadata: &Metadata) -> anyhow::Result<Vec<Entry>> {
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let program = binary.file_name().context("the program has no name")?;
    let mut entries = vec![
        Entry::program(program, read(binary)?),
        Entry::file("THIRD-PARTY.txt", metadata.third_party()?.into_bytes()),
    ];
    for name in FILES {
        entries.push(Entry::file(name, read(&root.join(name))?));
    }
    // Made by the program that is packed, so that it is of that program.
    let generated = tempfile::tempdir().context("cannot make a temporary folder")?;
    output(Command::new(binary).arg("generate").arg(generated.path()))?;
    for (path, content) in files_below(generated.path())? {
        let place = match path.starts_with("completions") || path.starts_with("man") {
            true => path,
            false => Path::new("docs").join(path),
        };
        entries.push(Entry::file(place, content));
    }
    Ok(entries)
}

fn files_below(folder: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(&at).with_context(|| format!("cannot list {}", at.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let content = fs::read(&path)?;
                found.push((path.strip_prefix(folder)?.to_owned(), content));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::*;

    /// A script in the place of the program, which writes two documents.
    #[cfg(unix)]
    fn script(folder: &Path) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join("ckaad");
        let text = "#!/bin/sh\nmkdir -p \"$2/man\" && echo page > \"$2/man/ckaad.1\" && echo settings > \"$2/settings.md\"\n";
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[cfg(unix)]
    #[test]
    fn the_archive_holds_the_program_and_what_belongs_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let args = DistArgs {
            out: out.clone(),
            features: Vec::new(),
            binary: Some(script(folder.path())),
        };
        run(&args).unwrap();
        let name = format!("ckaad-{}-{}", env!("CARGO_PKG_VERSION"), host().unwrap());
        let bytes = fs::read(out.join(format!("{name}.tar.gz"))).unwrap();
        let sum = fs::read_to_string(out.join(format!("{name}.tar.gz.sha256"))).unwrap();
        assert_eq!(sum, format!("{}  {name}.tar.gz\n", archive::digest(&bytes)));

        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let mut files = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().into_owned();
            let path = path
                .strip_prefix(&name)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let mode = entry.header().mode().unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(path, (mode, content));
        }
        for (path, mode) in [
            ("ckaad", 0o755),
            ("README.md", 0o644),
            ("LICENSE-MIT", 0o644),
            ("THIRD-PARTY.txt", 0o644),
            ("docs/guide.md", 0o644),
            ("docs/settings.md", 0o644),
            ("man/ckaad.1", 0o644),
        ] {
            let (found, content) = &files[path];
            assert!(*found == mode && !content.is_empty(), "{path}");
        }
        let licences = String::from_utf8(files["THIRD-PARTY.txt"].1.clone()).unwrap();
        assert!(licences.contains("\nburn "), "{licences}");
        // The same files make the same archive.
        run(&args).unwrap();
        assert_eq!(fs::read(out.join(format!("{name}.tar.gz"))).unwrap(), bytes);
    }
}
