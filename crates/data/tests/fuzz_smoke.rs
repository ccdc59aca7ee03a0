//! Every parser on damaged and random bytes: it must return. The same functions are the targets of `crates/data/fuzz`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use ckaad_data::fuzzing;
use proptest::prelude::*;

/// Valid inputs that damage starts from.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/jpeg");
    match name {
        "jpeg" => ["progressive-420", "sequential-411", "restarts-420", "cmyk", "grey-progressive"]
            .map(|name| std::fs::read(golden.join(name).with_extension("jpg")).unwrap())
            .to_vec(),
        "manifest_csv" => vec![b"path,label,split,class\na.png,normal,train,x\n\"b,c.png\",anomalous,test,\"y\"\n".to_vec()],
        "manifest_jsonl" => vec![b"{\"path\":\"a.png\",\"label\":\"normal\",\"split\":\"train\",\"mask\":null}\n".to_vec()],
        "table" => vec![b"image,MEL,NV\nISIC_1,1.0,0.0\nISIC_2,0.0,1.0\n".to_vec()],
        "cifar_binary" => vec![vec![3; 2 * 3073]],
        _ => vec![br#"{"normal":[{"path":"a.png","label":"normal","class":"n"}],"labelled":[],"validation":[],"test":[{"path":{"file":"b","index":1,"offset":3074},"label":"anomalous","class":"x","mask":"m.png"}]}"#.to_vec()],
    }
}

#[test]
fn the_undamaged_inputs_are_valid() {
    for (name, parse) in fuzzing::ALL {
        assert!(seeds(name).iter().all(|seed| parse(seed)), "{name}");
        assert!(!parse(b""), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn damaged_inputs_return(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        keep_all in any::<bool>(),
    ) {
        for (name, parse) in fuzzing::ALL {
            let all = seeds(name);
            let mut bytes = which.get(&all).clone();
            for (at, value) in &edits {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if !keep_all {
                bytes.truncate(cut.index(bytes.len()));
            }
            parse(&bytes);
        }
    }

    #[test]
    fn random_bytes_return(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for (_, parse) in fuzzing::ALL {
            parse(&bytes);
        }
        let mut jpeg = vec![0xFF, 0xD8, 0xFF];
        jpeg.extend(&bytes);
        fuzzing::jpeg(&jpeg);
    }
}
