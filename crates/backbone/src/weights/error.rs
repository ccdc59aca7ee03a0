//! What can go wrong while weights are looked for or fetched.

use std::path::PathBuf;
use std::time::Duration;

use ckaad_files::FileError;

/// Why no weights file could be had. Each message names the file or address, the problem, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file named by the user is not there, or is not a file.
    #[error("{}: no regular file is there; {CHECK_PATH}", path.display())]
    NotAFile {
        /// The path as given.
        path: PathBuf,
    },

    /// `$CKAAD_WEIGHTS` is set, but is not a folder.
    #[error(
        "CKAAD_WEIGHTS={}: not a folder; {SET_FOLDER}",
        path.display()
    )]
    NotAFolder {
        /// The value of the variable.
        path: PathBuf,
    },

    /// The system names no cache folder for this user.
    #[error("no cache folder is known for this user; {}", set_home(url))]
    NoCacheFolder {
        /// Address of the wanted file.
        url: String,
    },

    /// The server answered, but not with the file.
    #[error("{url}: the server answered with HTTP status {status}; {OPEN_BY_HAND}")]
    Status {
        /// Address of the wanted file.
        url: String,
        /// HTTP status code.
        status: u16,
    },

    /// The server could not be connected to, or sent nothing for too long.
    #[error("{url}: the server was silent for {limit:?}; {TRY_LATER}")]
    Timeout {
        /// Address of the wanted file.
        url: String,
        /// The limit that ran out.
        limit: Duration,
    },

    /// The connection ended before the whole file had arrived.
    #[error("{url}: the download ended after {received} of {expected} bytes; {TRY_AGAIN}")]
    Truncated {
        /// Address of the wanted file.
        url: String,
        /// Bytes that arrived.
        received: u64,
        /// Bytes that the server had announced.
        expected: u64,
    },

    /// The server could not be reached, or the connection failed.
    #[error("{url}: the download failed; {CHECK_NETWORK}")]
    Network {
        /// Address of the wanted file.
        url: String,
        /// The cause.
        source: Box<ureq::Error>,
    },

    /// What was downloaded is not the published file.
    #[error(
        "{url}: what arrived is not the published file: its SHA-256 is {actual} and should start with {expected}, \
         so a proxy or login page may have answered; {BY_HAND}"
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
        "{}: not the published file: its SHA-256 is {actual} and should start with {expected}; {DELETE}",
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
    #[error("{0}; {CHECK_DISK}")]
    File(#[from] FileError),
}

const CHECK_PATH: &str = "check the path, or leave --weights out to use the downloaded weights";
const SET_FOLDER: &str =
    "set it to a folder that holds weights files, or unset it and name one with --weights FILE";
const OPEN_BY_HAND: &str = "open the address by hand and pass the file with --weights FILE";
const TRY_LATER: &str = "try again later, or download it by hand and pass it with --weights FILE";
const TRY_AGAIN: &str = "try again, or download it by hand and pass it with --weights FILE";
const CHECK_NETWORK: &str = "check the network connection (a proxy is taken from HTTPS_PROXY), or download it by hand and pass it with --weights FILE";
const BY_HAND: &str = "download it by hand and pass it with --weights FILE";
const DELETE: &str = "delete it to have it downloaded, or give other weights another name";
const CHECK_DISK: &str = "check that it is accessible and that the disk has room, or pass another file with --weights FILE";

fn set_home(url: &str) -> String {
    format!("set HOME, or download {url} by hand and pass it with --weights FILE")
}

impl WeightsError {
    /// What to do. The message ends with it, after `; `.
    pub fn hint(&self) -> String {
        let text = match self {
            Self::NoCacheFolder { url } => return set_home(url),
            Self::NotAFile { .. } => CHECK_PATH,
            Self::NotAFolder { .. } => SET_FOLDER,
            Self::Status { .. } => OPEN_BY_HAND,
            Self::Timeout { .. } => TRY_LATER,
            Self::Truncated { .. } => TRY_AGAIN,
            Self::Network { .. } => CHECK_NETWORK,
            Self::HashMismatch { .. } => BY_HAND,
            Self::CorruptFile { .. } => DELETE,
            Self::File(_) => CHECK_DISK,
        };
        text.to_owned()
    }
}
