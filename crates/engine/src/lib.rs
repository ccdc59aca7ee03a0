//! Configuration, training, checkpoints, evaluation, prediction and the model file.
