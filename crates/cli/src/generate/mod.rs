//! `ckaad generate`: what is made from the program itself, so that it is never out of date.

mod reference;
mod schema;
mod settings;
mod shape;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use crate::output::{print, print_json};
use crate::{Args as Program, Global};

/// The width of a page of help.
const WIDTH: usize = 100;

#[derive(clap::Args)]
#[command(after_help = "Example: ckaad generate generated")]
pub(crate) struct Args {
    /// Folder for completions/, man/, schema/, reference.md and settings.md
    dir: PathBuf,
}

/// Writes all of it.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let mut files = completions();
    files.extend(man_pages()?);
    files.extend(schema::files()?);
    files.push((
        "reference.md".into(),
        reference::page(&program()).into_bytes(),
    ));
    files.push(("settings.md".into(), settings::page()?.into_bytes()));
    for (name, content) in &files {
        ckaad_files::write(&args.dir.join(name), content)?;
    }
    if global.json {
        return print_json(&args.dir);
    }
    print(format_args!(
        "{} files: {}",
        files.len(),
        args.dir.display()
    ))
}

/// A file to write, by its path in the folder.
type File = (PathBuf, Vec<u8>);

fn program() -> clap::Command {
    Program::command().term_width(WIDTH)
}

fn completions() -> Vec<File> {
    let made = |shell: &Shell| {
        let mut text = Vec::new();
        clap_complete::generate(*shell, &mut program(), "ckaad", &mut text);
        let name = match shell {
            Shell::Bash => "ckaad.bash",
            Shell::Elvish => "ckaad.elv",
            Shell::Fish => "ckaad.fish",
            Shell::PowerShell => "_ckaad.ps1",
            _ => "_ckaad",
        };
        (Path::new("completions").join(name), text)
    };
    Shell::value_variants().iter().map(made).collect()
}

/// A page of each command, named as `man` wants it: `ckaad-train.1`.
fn man_pages() -> anyhow::Result<Vec<File>> {
    let mut command = program();
    command.build();
    let mut pages = Vec::new();
    for (name, command) in reference::commands(&command) {
        let name = name.replace(' ', "-");
        let mut text = Vec::new();
        clap_mangen::Man::new(
            command
                .clone()
                .name(name.clone())
                .display_name(name.clone()),
        )
        .render(&mut text)
        .context("cannot write a man page")?;
        pages.push((Path::new("man").join(format!("{name}.1")), text));
    }
    Ok(pages)
}
