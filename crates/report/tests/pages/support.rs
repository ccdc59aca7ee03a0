//! Data for pages, and what all of them must be.

use ckaad_report::{
    Account, Epoch, Fact, Figure, Gallery, ImageList, Legend, ModelFigures, RunData, ScoredImage,
    Shot, ThresholdData, indexed_png, shrink,
};

pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{1}.png";

pub(crate) fn image(path: &str, class: &str, anomalous: bool, score: f64) -> ScoredImage {
    ScoredImage {
        path: path.to_owned(),
        class: class.to_owned(),
        anomalous,
        score,
        p_value: Some(0.5),
    }
}

pub(crate) fn shot(image: usize) -> Shot {
    let mut palette = [[0; 4]; 256];
    palette[1] = [255, 0, 0, 128];
    Shot {
        image,
        picture: Ok(shrink(&[120; 48], [4, 4], 4).unwrap()),
        heat: Some(indexed_png(&[1; 16], [4, 4], &palette).unwrap()),
        contours: vec![vec![[1.0, 1.0], [3.0, 1.0], [3.0, 3.25]]],
        mask: vec![vec![[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]]],
    }
}

pub(crate) fn whole() -> RunData {
    let images = vec![
        image("d/a.png", "good", false, 0.1),
        image("d/b.png", "good", false, 0.8),
        image(HOSTILE, HOSTILE, true, 0.9),
        image("d/c.png", "dent", true, 0.3),
    ];
    let epoch = |epoch, loss| Epoch {
        epoch,
        losses: vec![(HOSTILE.to_owned(), loss)],
        validation_auroc: Some(0.9),
    };
    RunData {
        title: HOSTILE.to_owned(),
        facts: vec![Fact::new("detector", HOSTILE)],
        models: vec![ModelFigures {
            name: "last epoch (2)".to_owned(),
            figures: vec![Figure::share("accuracy", 3, 4)],
        }],
        account: Account {
            used: vec![("test".to_owned(), 4)],
            found: HOSTILE.to_owned(),
            left_out: vec![HOSTILE.to_owned()],
            warnings: vec![HOSTILE.to_owned()],
            controls: vec![Figure::share(HOSTILE, 1, 2)],
        },
        epochs: vec![epoch(1, 2.0), epoch(2, 1.0)],
        threshold: Some(ThresholdData {
            value: 0.5,
            rule: HOSTILE.to_owned(),
            promise: Some(0.05),
        }),
        gallery: Gallery {
            shots: vec![shot(1), shot(2), shot(3)],
            legend: Some(Legend {
                colours: vec![[0, 0, 0, 0], [255, 0, 0, 255]],
                clear: 0.5,
                threshold: 1.0,
                full: 2.0,
            }),
            notes: vec![HOSTILE.to_owned()],
        },
        config: HOSTILE.to_owned(),
        lists: vec![ImageList {
            name: "Normal training images".to_owned(),
            paths: vec![format!("x/{HOSTILE}"), "x/2.png".to_owned()],
        }],
        definitions: vec![Fact::new("auroc", HOSTILE)],
        images,
        ..RunData::default()
    }
}

/// Every tag that is opened is closed, in order; what the browser would mend is an error here.
pub(crate) fn check_tags(html: &str) {
    const VOID: [&str; 5] = ["meta", "link", "input", "img", "br"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html.strip_prefix("<!DOCTYPE html>").unwrap_or(html);
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(
                open.pop(),
                Some(name),
                "before {}",
                &rest[..rest.len().min(80)]
            );
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        if matches!(name, "script" | "style") {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).unwrap() + close.len()..];
        } else if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

pub(crate) fn said(html: &str, texts: &[&str]) {
    for text in texts {
        assert!(html.contains(text), "{text} is missing");
    }
}
