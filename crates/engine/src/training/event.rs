use super::EpochRecord;

/// What a long operation tells while it goes on.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Part of a countable piece of work is done.
    Progress {
        /// What is being done ("reading images", "epoch 3").
        what: &'a str,
        /// How much of it is done.
        done: usize,
        /// How much there is.
        total: usize,
    },
    /// A run has read its images and is about to train; until here it has written nothing into its folder.
    Prepared,
    /// An epoch of training is over.
    Epoch {
        /// Its figures.
        record: &'a EpochRecord,
        /// How many epochs there are in all.
        epochs: usize,
    },
}

/// Receives events, from any thread.
pub type Observer<'a> = &'a (dyn Fn(Event<'_>) + Sync);
