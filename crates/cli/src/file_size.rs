//! The limit on the size of files that a system sets for a user.
#![allow(unsafe_code, reason = "the standard library sets no signals")]

/// Makes a file over the limit an error of the write that reaches it, which names the file, where it would end the program without a word.
#[cfg(unix)]
pub(crate) fn make_limit_an_error() {
    // SAFETY: no handler is installed, the signal is only ignored; nothing else of this program depends on it.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// There is no such limit.
#[cfg(not(unix))]
pub(crate) fn make_limit_an_error() {}
