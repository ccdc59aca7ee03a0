//! The benchmark commands as a user starts them, with a script in the place of `ckaad`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bench;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bench::{Bench, stderr};

#[test]
fn a_grid_is_done_once_and_its_table_made() {
    let bench = Bench::new();
    let output = bench.run("a", &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        (bench.asked("a", "train"), bench.asked("a", "evaluate")),
        (6, 6)
    );
    // (111 + 112 + 113 - 300) / 60 in percent.
    let table = bench.table("a");
    assert!(
        table.contains("| recon | 0 | – | last | 3 | 60.00 ± 5.00 |"),
        "{table}"
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("SYNTHETIC"));
    let runs = fs::read_dir(bench.path("a").join("runs")).unwrap();
    for run in runs {
        let run = run.unwrap().path().join("run");
        assert!(run.join("report.json").is_file());
        assert!(
            !run.join("model.safetensors").exists(),
            "models are not kept"
        );
    }

    let again = bench.run("a", &[]);
    assert!(again.status.success());
    assert!(stderr(&again).contains("6 finished earlier, 0 to do"));
    assert_eq!(bench.asked("a", "train"), 6);
    assert_eq!(bench.table("a"), table);
}

#[test]
fn broken_runs_are_reported_and_the_others_go_on() {
    let bench = Bench::new();
    let output = bench
        .command("a", &[])
        .env("STUB_FAIL", "112")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("INCOMPLETE: 2 runs failed"),
        "{}",
        stderr(&output)
    );
    let table = bench.table("a");
    assert!(table.contains("**INCOMPLETE: 4 of 6 runs are finished, 2 failed, 0 are not done.**"));
    assert!(table.contains("error: made to fail"));
    assert!(
        table.contains("| recon | 0 | – | last | 2 of 3 | 60.00 ± 7.07 |"),
        "{table}"
    );

    // Once repaired, the broken ones alone are done again.
    assert!(bench.run("a", &[]).status.success());
    assert_eq!(bench.asked("a", "evaluate"), 6);
    assert!(!bench.table("a").contains("INCOMPLETE"));
}

#[test]
fn what_was_killed_goes_on_and_ends_as_if_undisturbed() {
    let bench = Bench::new();
    let mut child = bench
        .command("a", &[])
        .env("STUB_HANG", "112")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = bench.path("a.log.pid");
    let start = Instant::now();
    let orphan = loop {
        match fs::read_to_string(&pid) {
            Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
            _ => assert!(start.elapsed() < Duration::from_secs(60), "it never began"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    // SIGKILL; the program that it started lives on.
    child.kill().unwrap();
    child.wait().unwrap();
    let finished = bench.asked("a", "evaluate");

    let mut second = bench.command("a", &[]);
    let second = second
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It does the others first, and the orphan's run once the orphan is gone.
    let start = Instant::now();
    while bench.asked("a", "evaluate") < 5 {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it waits for the orphan"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(
        Command::new("kill")
            .args(["-9", &orphan])
            .status()
            .unwrap()
            .success()
    );
    let output = second.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("another process works on"));
    assert!(finished < 5);
    // The killed training goes on from where it was; nothing else is done twice.
    assert_eq!(
        (bench.asked("a", "train"), bench.asked("a", "resume")),
        (6, 1)
    );

    assert!(bench.run("b", &[]).status.success());
    for file in ["table.md", "table.csv", "table.json"] {
        let read = |out: &str| fs::read(bench.path(out).join("bench-medical-sample").join(file));
        assert_eq!(read("a").unwrap(), read("b").unwrap(), "{file}");
    }
}

#[test]
fn parts_done_apart_merge_by_copying_and_collect_makes_the_table() {
    let bench = Bench::new();
    assert!(bench.run("whole", &[]).status.success());
    for (out, shard) in [("one", "1/2"), ("two", "2/2")] {
        let output = bench.run(out, &["--shard", shard]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(bench.asked(out, "train"), 3);
        assert!(
            !bench
                .path(out)
                .join("bench-medical-sample/table.md")
                .exists()
        );
    }
    let copied = Command::new("cp")
        .arg("-r")
        .arg(bench.path("two").join("runs"))
        .arg(bench.path("one"))
        .status();
    assert!(copied.unwrap().success());
    let collected = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("collect")
        .arg(bench.path("one"))
        .output()
        .unwrap();
    assert!(collected.status.success(), "{}", stderr(&collected));
    assert_eq!(bench.table("one"), bench.table("whole"));
}

#[test]
fn absent_data_are_named_with_source_and_licence() {
    let bench = Bench::new();
    fs::create_dir(bench.path("data")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args([
            "bench-medical",
            "--datasets",
            "chest-xray,br35h",
            "--seeds",
            "1",
        ])
        .arg("--data")
        .arg(bench.path("data"))
        .arg("--out")
        .arg(bench.path("a"))
        .arg("--binary")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stub_ckaad.sh"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = stderr(&output);
    for text in [
        "data/ChestXRay2017",
        "data.mendeley.com",
        "CC BY 4.0",
        "Br35H is not at hand",
        "INCOMPLETE",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    let table = fs::read_to_string(bench.path("a").join("bench-medical/table.md")).unwrap();
    assert!(table.contains("INCOMPLETE: 0 of 8") && table.contains("is not at hand"));
}

#[test]
fn stand_ins_are_not_taken_for_real_images() {
    let bench = Bench::new();
    let folder = bench.path("data").join("br35h");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("SYNTHETIC.txt"), "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["bench-medical", "--datasets", "br35h", "--data"])
        .arg(bench.path("data"))
        .arg("--out")
        .arg(bench.path("a"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(stderr(&output).contains("is a synthetic stand-in"));
}

#[test]
fn job_arrays_start_one_run_per_task() {
    let bench = Bench::new();
    let script = bench.path("grid.sbatch");
    let output = bench.run(
        "a",
        &["--slurm", script.to_str().unwrap(), "--cluster-cpus", "2"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let text = fs::read_to_string(&script).unwrap();
    assert!(text.contains("#SBATCH --array=1-6%16"), "{text}");
    assert!(text.contains("#SBATCH --cpus-per-task=2"));
    // What Slurm would do.
    for task in 1..=6 {
        let status = Command::new("bash")
            .arg(&script)
            .env("SLURM_ARRAY_TASK_ID", task.to_string())
            .env("SLURM_CPUS_PER_TASK", "2")
            .env("STUB_LOG", bench.path("a.log"))
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success());
        assert_eq!(bench.asked("a", "evaluate"), task);
    }

    let job = bench.path("job.yaml");
    let output = bench.run(
        "a",
        &["--kubernetes", job.to_str().unwrap(), "--cluster-gpus", "1"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let text = fs::read_to_string(&job).unwrap();
    for line in [
        "completionMode: Indexed",
        "completions: 6",
        "nvidia.com/gpu: \"1\"",
        "JOB_COMPLETION_INDEX + 1))/6",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
