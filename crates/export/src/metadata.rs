//! What a graph says of itself: everything that a program needs besides it.

use ckaad_engine::scoring::ModelInfo;
use serde_json::json;

use crate::Input;

/// Keys and values; numbers, lists and tables as JSON.
pub(crate) fn metadata(info: &ModelInfo, input: Input) -> Vec<(String, String)> {
    let config = &info.config;
    let threshold = &info.threshold;
    let mut entries = vec![
        ("version", info.version.clone()),
        ("detector", config.detector.name().to_owned()),
        ("detector_settings", json!(config.detector).to_string()),
        ("backbone", config.backbone.to_string()),
        ("stages", json!(config.stages).to_string()),
        ("weights", info.weights.clone()),
        ("image_size", config.image_size.to_string()),
        ("input", input.name().to_owned()),
        ("preprocessing", json!(info.preprocessing).to_string()),
        ("threshold", threshold.value.to_string()),
        ("threshold_rule", threshold.rule.clone()),
        ("calibration", json!(info.calibration).to_string()),
    ];
    if let Some(promise) = threshold.promise {
        entries.push(("threshold_promise", promise.to_string()));
    }
    if let Some(maps) = &info.maps {
        entries.push(("pixel_threshold", maps.threshold.value.to_string()));
        entries.push(("map_range", json!(maps.range).to_string()));
    }
    let owned = |(key, value): (&str, String)| (key.to_owned(), value);
    entries.into_iter().map(owned).collect()
}
