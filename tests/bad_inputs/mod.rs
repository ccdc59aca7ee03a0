//! Inputs that are wrong, damaged or made to do damage, and what the program says of them: `docs/bad-inputs.md` is what this test found.

mod bench;
mod data;
mod images;
mod models;
mod results;
mod runs;
mod settings;
mod weights;

use self::bench::Bench;
use crate::golden;

const HEAD: &str = "# Bad inputs

What the program says of inputs that are wrong, damaged or made to do damage. Each was given to it with 4 GiB of address space and a minute; none
made it panic, run out of either, or leave a result behind that looks like one. `DIR` is the folder in which it ran. Exit 1 says that it failed, 2
that what was asked for can never be, 0 that it did without and warned. The table is made and held by a test (`tests/bad_inputs`).
";

#[test]
fn golden_bad_inputs_are_refused_as_they_were_looked_at() {
    let mut bench = Bench::new();
    type Cases = fn(&mut Bench);
    let groups: [(&str, Cases); 7] = [
        ("Images", images::cases),
        ("Model files", models::cases),
        ("Runs and checkpoints", runs::cases),
        ("Results and kept features", results::cases),
        ("Settings", settings::cases),
        ("Backbone weights", weights::cases),
        ("Data sets, masks, tables and splits", data::cases),
    ];
    let mut found = HEAD.to_owned();
    for (title, cases) in groups {
        cases(&mut bench);
        found += &format!(
            "\n## {title}\n\n| input | command | exit | what is said |\n|---|---|---|---|\n"
        );
        found += &bench.take_rows();
    }
    assert!(bench.cases >= 60, "only {} inputs", bench.cases);
    assert!(bench.problems.is_empty(), "{:#?}", bench.problems);
    golden::compare("docs/bad-inputs.md", &found);
}
