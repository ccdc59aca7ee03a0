//! Downloading a published file: streamed, checked, and put in place in one step.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use ckaad_files::{FileError, NewFile};
use ureq::Proxy;
use ureq::http::Uri;

use super::published::BASE_URL;
use super::sha256::Hasher;
use super::{Published, WeightsError};

/// How a download is made.
///
/// The proxy of the environment (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, except for hosts in `NO_PROXY`) is used, but
/// never for a server on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadOptions {
    /// Folder address, without a final slash, below which the published file names are found. An `https` address is
    /// never left for an `http` one, whatever redirection the server sends.
    pub base_url: String,
    /// Longest wait for a connection; default 15 s.
    pub connect_timeout: Duration,
    /// Longest wait for the next bytes of a connected server; default 30 s. The download as a whole may take longer.
    pub stall_timeout: Duration,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self {
            base_url: BASE_URL.to_owned(),
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

impl DownloadOptions {
    fn agent(&self) -> ureq::Agent {
        let on_this_machine = self
            .base_url
            .parse::<Uri>()
            .is_ok_and(|uri| matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]")));
        ureq::Agent::config_builder()
            .https_only(self.base_url.starts_with("https:"))
            .proxy(if on_this_machine {
                None
            } else {
                Proxy::try_from_env()
            })
            .timeout_resolve(Some(self.connect_timeout))
            .timeout_connect(Some(self.connect_timeout))
            .timeout_per_read(Some(self.stall_timeout))
            .timeout_per_write(Some(self.stall_timeout))
            .user_agent(concat!("ckaad/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent()
    }

    /// Names the address in an error of the connection.
    fn error(&self, url: &str, error: ureq::Error) -> WeightsError {
        let url = url.to_owned();
        match error {
            ureq::Error::StatusCode(status) => WeightsError::Status { url, status },
            ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                WeightsError::Timeout {
                    url,
                    limit: self.connect_timeout,
                }
            }
            ureq::Error::Timeout(_) => WeightsError::Timeout {
                url,
                limit: self.stall_timeout,
            },
            source => WeightsError::Network {
                url,
                source: Box::new(source),
            },
        }
    }
}

/// How far a download has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes received so far.
    pub bytes: u64,
    /// Bytes of the whole file, if the server announced them.
    pub total: Option<u64>,
}

/// Downloads `file` to `target`, making its folder if need be.
///
/// The bytes go to a temporary file beside `target`, which takes the place of `target` only when it is complete, checked
/// and on the disk; on failure it is removed.
pub(super) fn download(
    file: &Published,
    target: &Path,
    progress: &mut dyn FnMut(Progress),
    options: &DownloadOptions,
) -> Result<(), WeightsError> {
    let url = format!("{}/{}", options.base_url, file.file_name);
    let response = options
        .agent()
        .get(&url)
        .call()
        .map_err(|error| options.error(&url, error))?;
    let total = response.body().content_length();
    let mut body = response.into_body().into_reader();

    let mut part = NewFile::create(target)?;
    part.remove_abandoned();

    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let count = match body.read(&mut buffer) {
            Ok(count) => count,
            // A connection that closes early; the check against the announced length follows the loop.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && total.is_some() => 0,
            Err(error) => return Err(options.error(&url, error.into())),
        };
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        part.write_all(&buffer[..count])
            .map_err(FileError::io("write the file", target))?;
        bytes += count as u64;
        progress(Progress { bytes, total });
    }

    if let Some(expected) = total.filter(|&total| total != bytes) {
        return Err(WeightsError::Truncated {
            url,
            received: bytes,
            expected,
        });
    }
    let actual = hasher.finish();
    if !actual.starts_with(file.sha256_prefix) {
        return Err(WeightsError::HashMismatch {
            url,
            expected: file.sha256_prefix,
            actual,
        });
    }
    Ok(part.commit()?)
}
