//! What can go wrong while weights are looked for or fetched.

use std::path::PathBuf;
use std::time::Duration;

use ckaad_files::FileError;

/// Why no weights file could be had. Each message names the file or address, the problem, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file named by the user is not there, or is not a file.
    #[error("{}: no such weights file; check the path, or leave --weights out to use the downloaded weights", path.display())]
    NotAFile {
        /// The path as given.
        path: PathBuf,
    },

    /// `$CKAAD_WEIGHTS` is set, but is not a folder.
    #[error(
        "CKAAD_WEIGHTS={}: not a folder; set it to a folder that holds weights files, or unset it and name one with \
         --weights FILE",
        path.display()
    )]
    NotAFolder {
        /// The value of the variable.
        path: PathBuf,
    },

    /// The system names no cache folder for this user.
    #[error(
        "no cache folder is known for this user; set HOME, or download {url} by hand and pass it with --weights FILE"
    )]
    NoCacheFolder {
        /// Address of the wanted file.
        url: String,
    },

    /// The server answered, but not with the file.
    #[error(
        "{url}: the server answered with HTTP status {status}; open the address by hand and pass the file with --weights FILE"
    )]
    Status {
        /// Address of the wanted file.
        url: String,
        /// HTTP status code.
        status: u16,
    },

    /// The server could not be connected to, or sent nothing for too long.
    #[error(
        "{url}: the server was silent for {limit:?}; try again later, or download it by hand and pass it with --weights FILE"
    )]
    Timeout {
        /// Address of the wanted file.
        url: String,
        /// The limit that ran out.
        limit: Duration,
    },

    /// The connection ended before the whole file had arrived.
    #[error(
        "{url}: the download ended after {received} of {expected} bytes; try again, or download it by hand and pass it with --weights FILE"
    )]
    Truncated {
        /// Address of the wanted file.
        url: String,
        /// Bytes that arrived.
        received: u64,
        /// Bytes that the server had announced.
        expected: u64,
    },

    /// The server could not be reached, or the connection failed.
    #[error(
        "{url}: the download failed; check the network connection (a proxy is taken from HTTPS_PROXY), or download it \
         by hand and pass it with --weights FILE"
    )]
    Network {
        /// Address of the wanted file.
        url: String,
        /// The cause.
        source: Box<ureq::Error>,
    },

    /// What was downloaded is not the published file.
    #[error(
        "{url}: what arrived is not the published file: its SHA-256 is {actual} and should start with {expected}; a \
         proxy or login page may have answered instead; download it by hand and pass it with --weights FILE"
    )]
    HashMismatch {
        /// Address of the wanted file.
        url: String,
        /// The first hex digits of the SHA-256 wanted.
        expected: &'static str,
        /// The SHA-256 of what arrived, in hex.
        actual: String,
    },

    /// A file in `$CKAAD_WEIGHTS` has a published name, but other content.
    #[error(
        "{}: not the published file: its SHA-256 is {actual} and should start with {expected}; delete it to have it \
         downloaded, or give other weights another name",
        path.display()
    )]
    CorruptFile {
        /// The file.
        path: PathBuf,
        /// The first hex digits of the SHA-256 wanted.
        expected: &'static str,
        /// The SHA-256 of the file, in hex.
        actual: String,
    },

    /// A file or folder could not be read or written.
    #[error(
        "{0}; check that it is accessible and that the disk has room, or pass another file with --weights FILE"
    )]
    File(#[from] FileError),
}
