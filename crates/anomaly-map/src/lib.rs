//! Feature maps and their reconstructions to an anomaly map and an image score.
