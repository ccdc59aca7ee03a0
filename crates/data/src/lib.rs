//! Images and masks to batches: dataset layouts, splits, weak labels, elastic-transform anomalies.
