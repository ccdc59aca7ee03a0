//! Which images serve for what.

use ckaad_data::{
    DataAccount, Dataset, Label, Labelled, Protocol, Split, check_content, check_masks,
    require_labelled,
};
use ckaad_detectors::Anomalies;

use crate::config::AnomalySource;
use crate::{CheckedConfig, EngineError};

/// Lists the images of a run: those of an earlier split file, or drawn from the data set by the protocol.
pub(crate) fn choose_split(config: &CheckedConfig) -> Result<Split, EngineError> {
    if let Some(path) = &config.data.split {
        let split = Split::read(path)?;
        for finding in check_masks(&split, config.image_size)? {
            tracing::warn!("{finding}");
        }
        check_labelled(config, &split)?;
        return Ok(split);
    }
    let data = &config.data;
    let dataset = match (&data.folders, data.layout, &data.root) {
        (Some(folders), _, _) => Dataset::from_folders(folders)?,
        (None, Some(layout), Some(root)) => Dataset::open(layout, root, data.category.as_deref())?,
        // `Config::validate` lets nothing else through.
        _ => {
            return Err(EngineError::setting(
                "data",
                "",
                "says nowhere where the images are",
            ));
        }
    };
    let mut protocol = Protocol {
        labelled: Labelled::Ratio(0.0),
        labelled_classes: config.labelled_classes.clone(),
        validation: config.validation,
        calibration: config.calibration,
        seed: config.seed,
        group_by: config.group_by,
    };
    if config.anomalies == AnomalySource::Labelled {
        protocol.labelled = config.labelled_ratio.map_or(Labelled::All, Labelled::Ratio);
        let pool = dataset
            .train
            .iter()
            .any(|sample| sample.label == Label::Anomalous);
        if !pool && !config.detector.needs().anomalies.are_looked_at() {
            protocol.labelled = Labelled::Ratio(0.0);
        }
    }
    let mut split = protocol.split(&dataset)?;
    split.mask_rule = config.data.mask_rule.unwrap_or(split.mask_rule);
    split.reading.window = config.data.window;
    split.reading.page = config.data.page;
    split.account = report_findings(&dataset, &split, config)?;
    if split.labelled.len() < split.labelled_wanted {
        tracing::warn!(
            "the labelled ratio asks for {} anomalous images, there are {}",
            split.labelled_wanted,
            split.labelled.len()
        );
    }
    check_labelled(config, &split)?;
    Ok(split)
}

/// Says what had better be known of the images before anything is trained on them, and refuses truth that would make figures wrong.
fn report_findings(
    dataset: &Dataset,
    split: &Split,
    config: &CheckedConfig,
) -> Result<DataAccount, EngineError> {
    let counts = [
        ("normal", &split.normal),
        ("labelled anomalous", &split.labelled),
        ("validation", &split.validation),
        ("calibration", &split.calibration),
        ("test", &split.test),
    ];
    let counts = counts.map(|(name, list)| format!("{} {name}", list.len()));
    let found = dataset.account();
    tracing::info!("found {found}");
    tracing::info!("images: {}", counts.join(", "));
    let of_masks = check_masks(split, config.image_size)?;
    // Published data sets are checked by `datasets check`.
    let of_content = match config.data.folders {
        Some(_) => check_content(split),
        None => Vec::new(),
    };
    let findings = [dataset.findings.clone(), of_masks, of_content].concat();
    for finding in &findings {
        tracing::warn!("{finding}");
    }
    Ok(DataAccount { found, findings })
}

/// A detector that learns from labelled images must have some, unless it can do without and was asked to.
pub(crate) fn check_labelled(config: &CheckedConfig, split: &Split) -> Result<(), EngineError> {
    let asked_without = config.labelled_ratio == Some(0.0);
    let instead = match config.detector.needs().anomalies {
        Anomalies::Ignored | Anomalies::Drawn { .. } => return Ok(()),
        Anomalies::Used { .. } if asked_without => return Ok(()),
        Anomalies::Used { instead } | Anomalies::Required { instead } => instead,
    };
    if config.anomalies != AnomalySource::Labelled || !split.labelled.is_empty() {
        return Ok(());
    }
    if let Some(ratio) = config.labelled_ratio {
        require_labelled(split.normal.len(), ratio)?;
    }
    let validation = split
        .validation
        .iter()
        .filter(|sample| sample.label.is_anomalous())
        .count();
    let why = match validation {
        _ if asked_without => "labelled_ratio = 0 takes none".to_owned(),
        0 => "there is none".to_owned(),
        count => format!(
            "none is left after {count} went to validation (--set 'validation=\"none\"' keeps them)"
        ),
    };
    Err(EngineError::NoImages {
        reason: format!(
            "the detector {} learns from labelled anomalous training images, but {why}",
            config.detector.name()
        ),
        hint: format!(
            "give more (--anomalous DIR), let an elastic transform make them (--anomalies elastic), or do without ({instead})"
        ),
    })
}
