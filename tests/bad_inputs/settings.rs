use super::bench::Bench;

/// A run that would take a moment.
const TRAIN: &str =
    "train --layout mvtec-ad --category weave --data data --random-features --out out";

pub(super) fn cases(bench: &mut Bench) {
    for setting in [
        "image_size=0",
        "image_size=100",
        "image_size=65536",
        "image_size=4294967296",
        "image_size=2305843009213693952",
        "batch=0",
        "batch=4294967296",
        "epochs=4294967296",
        "epochs=-1",
        "seed=-1",
        "stages=[]",
        "stages=[3,2]",
        "stages=[9]",
        "labelled_ratio=1.5",
        "labelled_ratio=nan",
        "calibration=1.0",
        "alpha=0.0",
        "elastic.sigma=1e308",
        "elastic.sigma=nan",
        "elastic.alpha=inf",
        "feature_cache_mib=18446744073709551615",
        "detector.margin=1e308",
        "detector.learning_rate=nan",
        "detector.lambda=inf",
        "detector.gamma=2.0",
        "detector.method=\"vae\"",
        "detector.name=\"nonesuch\"",
        "backbone=\"resnet19\"",
        "precision=\"f8\"",
        "learning_rate=0.1",
        "learning_rat=0.1",
        "=",
        "a",
    ] {
        bench.refused("a setting", &format!("{TRAIN} --set {setting}"), &["out"]);
    }
    for (what, text) in [
        ("a text that is no TOML", &b"no settings"[..]),
        ("bytes that are not UTF-8", b"seed = \"\xFF\""),
        ("an unknown key", b"epoch = 3\n"),
        ("a key given twice", b"seed = 3\nseed = 4\n"),
        ("a number as a text", b"epochs = \"3\"\n"),
        ("two thousand nested lists", NESTED),
        (
            "a path with escape sequences",
            b"[data]\nroot = \"\\u001b[31mx\"\nlayout = \"folder\"\n",
        ),
    ] {
        let nested = [&b"a = "[..], &[b'['; 2000], &[b']'; 2000]].concat();
        bench.write("c.toml", if text == NESTED { &nested } else { text });
        bench.refused(
            what,
            "train --config c.toml --random-features --out out",
            &["out"],
        );
    }
    bench.write("c.toml", vec![b'#'; 2 << 20]);
    bench.refused(
        "two mebibytes of comments",
        "train --config c.toml --random-features --out out",
        &["out"],
    );
    bench.refused(
        "a configuration without an end",
        "train --config /dev/zero --random-features --out out",
        &["out"],
    );
    bench.refused(
        "a configuration that is a pipe",
        "train --config pipe --random-features --out out",
        &["out"],
    );
    bench.refused(
        "a folder as configuration",
        "train --config data --random-features --out out",
        &["out"],
    );
    bench.refused(
        "100000 threads",
        &format!("{TRAIN} --threads 100000"),
        &["out"],
    );
    bench.refused(
        "a device that there is not",
        &format!("{TRAIN} --device gpu"),
        &["out"],
    );
    bench.refused(
        "a device of another build",
        &format!("{TRAIN} --device cuda:7"),
        &["out"],
    );
    bench.refused("an unknown detector", "compare --layout mvtec-ad --category weave --data data --random-features --detectors vae --out out", &["out"]);
}

/// Stands for what is too long for a line.
const NESTED: &[u8] = b"nested";
