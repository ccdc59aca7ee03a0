//! Anomaly-detection metrics: AUROC, AP, F1-max, AUPRO; slices in, numbers out.
