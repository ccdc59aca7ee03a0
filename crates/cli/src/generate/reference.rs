//! The reference of commands.

use clap::Command;

/// What `--help` of every command says, as one page.
pub(super) fn page(program: &Command) -> String {
    let mut page = "# Commands\n\nWhat `ckaad COMMAND --help` says. Made by `ckaad generate`; not to be edited.\n"
        .to_owned();
    for (name, _) in commands(program) {
        let lines = help(program, &name);
        let lines = lines.lines().map(str::trim_end).collect::<Vec<_>>();
        page += &format!("\n## {name}\n\n```text\n{}\n```\n", lines.join("\n"));
    }
    page
}

/// What is printed when someone asks for help.
fn help(program: &Command, name: &str) -> String {
    let words = name.split(' ').chain(["--help"]);
    let asked = program.clone().try_get_matches_from(words);
    asked
        .err()
        .map_or_else(String::new, |help| help.to_string())
}

/// Every command that is listed, by what is typed for it; the program first.
pub(super) fn commands(program: &Command) -> Vec<(String, &Command)> {
    let mut found = Vec::new();
    collect(program, program.get_name(), &mut found);
    found
}

fn collect<'a>(command: &'a Command, name: &str, found: &mut Vec<(String, &'a Command)>) {
    found.push((name.to_owned(), command));
    let listed = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help");
    for command in listed {
        collect(command, &format!("{name} {}", command.get_name()), found);
    }
}
