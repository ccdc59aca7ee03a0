//! Checks the networks and training step against recorded figures.
