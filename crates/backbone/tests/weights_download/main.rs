//! Fetching weights from a server on this machine that answers well and badly.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod server;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ckaad_backbone::ResNetVariant;
use ckaad_backbone::weights::{DownloadOptions, Lookup, Progress, WeightsError};
use ckaad_files::FileError;
use tempfile::TempDir;

use server::Answer;

const VARIANT: ResNetVariant = ResNetVariant::ResNet18;
const FILE_NAME: &str = "resnet18-f37072fd.pth";

/// A stand-in for the published file. Its last ten digits were searched for until the SHA-256 of the whole began with
/// the `f37072fd` of the published name, so that the check runs on it as it does on the real file.
fn good_file() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..200 * 1024_u32).map(|i| (i % 251) as u8).collect();
    bytes.extend_from_slice(b"1169562014");
    bytes
}

/// A server with one answer to every request, and an empty cache folder to fetch into.
struct Setup {
    lookup: Lookup,
    options: DownloadOptions,
    /// Paths requested so far.
    requests: Arc<Mutex<Vec<String>>>,
    root: TempDir,
}

impl Setup {
    fn new(answer: Answer) -> Self {
        let root = TempDir::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = DownloadOptions {
            base_url: format!("http://{}/models", listener.local_addr().unwrap()),
            stall_timeout: Duration::from_secs(10),
            ..DownloadOptions::default()
        };
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || server::serve(&listener, &answer, &seen));
        let lookup = Lookup {
            own_folder: None,
            cache_folder: Some(root.path().join("cache")),
        };
        Self {
            lookup,
            options,
            requests,
            root,
        }
    }

    fn fetch(&self) -> Result<PathBuf, WeightsError> {
        self.lookup.fetch(VARIANT, &mut |_| {}, &self.options)
    }

    fn url(&self) -> String {
        format!("{}/{FILE_NAME}", self.options.base_url)
    }

    fn target(&self) -> PathBuf {
        self.root.path().join("cache").join(FILE_NAME)
    }

    /// Puts a file of the published name into the cache.
    fn cache(&self, content: &[u8]) {
        fs::create_dir_all(self.target().parent().unwrap()).unwrap();
        fs::write(self.target(), content).unwrap();
    }

    /// Names of the files in the cache folder, hidden ones too; none if the folder does not exist.
    fn cached(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.target().parent().unwrap()) else {
            return Vec::new();
        };
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// Fetches, which must fail with nothing left behind and a message that names the address and the way out.
    fn failure(&self) -> WeightsError {
        let error = self.fetch().unwrap_err();
        assert_eq!(self.cached(), Vec::<String>::new());
        let message = error.to_string();
        assert!(
            message.contains(&self.url()) && message.contains("--weights FILE"),
            "{message}"
        );
        error
    }
}

#[test]
fn a_good_file_is_fetched_once() {
    let setup = Setup::new(Answer::Body(good_file()));
    let total = Some(good_file().len() as u64);
    let mut steps = Vec::new();
    let mut progress = |step: Progress| {
        assert!(!setup.target().exists(), "a partial file is visible");
        steps.push(step);
    };
    let path = setup
        .lookup
        .fetch(VARIANT, &mut progress, &setup.options)
        .unwrap();
    assert_eq!(path, setup.target());
    assert_eq!(fs::read(&path).unwrap(), good_file());
    assert_eq!(setup.cached(), [FILE_NAME]);
    assert!(steps.len() > 1, "the file is not streamed");
    assert!(
        steps.is_sorted_by(|a, b| a.bytes < b.bytes)
            && steps.iter().all(|step| step.total == total)
    );
    assert_eq!(steps.last().map(|step| Some(step.bytes)), Some(total));

    assert_eq!(setup.fetch().unwrap(), path);
    assert_eq!(setup.lookup.find(VARIANT, None).unwrap(), Some(path));
    assert_eq!(
        *setup.requests.lock().unwrap(),
        [format!("/models/{FILE_NAME}")]
    );
}

#[test]
fn a_file_of_unannounced_length_is_fetched() {
    let setup = Setup::new(Answer::Chunked(good_file()));
    assert_eq!(fs::read(setup.fetch().unwrap()).unwrap(), good_file());
}

#[test]
fn a_truncated_file_is_refused() {
    let setup = Setup::new(Answer::Truncated(good_file(), 150_000));
    let expected_length = good_file().len() as u64;
    let error = setup.failure();
    assert!(
        matches!(error, WeightsError::Truncated { received: 150_000, expected, .. } if expected == expected_length),
        "{error:?}"
    );
}

#[test]
fn a_wrong_hash_is_refused() {
    let mut body = good_file();
    body[1000] ^= 1;
    let error = Setup::new(Answer::Body(body)).failure();
    assert!(
        matches!(
            error,
            WeightsError::HashMismatch {
                expected: "f37072fd",
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_missing_file_is_reported() {
    let error = Setup::new(Answer::Status("404 Not Found")).failure();
    assert!(
        matches!(error, WeightsError::Status { status: 404, .. }),
        "{error:?}"
    );
}

#[test]
fn a_server_that_hangs_is_given_up() {
    for answer in [Answer::Silence, Answer::SilenceAfter(good_file(), 100_000)] {
        let mut setup = Setup::new(answer);
        setup.options.stall_timeout = Duration::from_millis(300);
        let start = Instant::now();
        let error = setup.failure();
        // The server itself never lets go; the margin is for a busy machine.
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(
            matches!(error, WeightsError::Timeout { limit, .. } if limit == setup.options.stall_timeout),
            "{error:?}"
        );
    }
}

#[test]
fn a_server_that_is_not_there_is_reported() {
    let mut setup = Setup::new(Answer::Silence);
    let free_port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    setup.options.base_url = format!("http://{free_port}");
    let error = setup.failure();
    assert!(matches!(error, WeightsError::Network { .. }), "{error:?}");
}

#[test]
fn a_server_without_tls_is_not_trusted() {
    let mut setup = Setup::new(Answer::Body(good_file()));
    setup.options.base_url = setup.options.base_url.replace("http:", "https:");
    let error = setup.failure();
    assert!(matches!(error, WeightsError::Network { .. }), "{error:?}");
}

#[test]
fn a_folder_that_cannot_be_made_is_reported() {
    let mut setup = Setup::new(Answer::Body(good_file()));
    let file = setup.root.path().join("file");
    fs::write(&file, "").unwrap();
    let folder = file.join("weights");
    setup.lookup.cache_folder = Some(folder.clone());
    let error = setup.fetch().unwrap_err();
    assert!(
        matches!(&error, WeightsError::File(FileError::Io { path, .. }) if *path == folder),
        "{error:?}"
    );
    assert!(
        error.to_string().contains(folder.to_str().unwrap()),
        "{error}"
    );
}

#[test]
fn a_good_file_is_kept_and_a_damaged_one_replaced() {
    let setup = Setup::new(Answer::Status("500 Internal Server Error"));
    setup.cache(&good_file());
    assert_eq!(setup.fetch().unwrap(), setup.target());
    assert!(setup.requests.lock().unwrap().is_empty());

    let setup = Setup::new(Answer::Truncated(good_file(), 10));
    setup.cache(b"damaged");
    assert!(matches!(setup.fetch(), Err(WeightsError::Truncated { .. })));
    assert_eq!(setup.cached(), [FILE_NAME]);
    assert_eq!(fs::read(setup.target()).unwrap(), b"damaged");

    let setup = Setup::new(Answer::Body(good_file()));
    setup.cache(b"damaged");
    assert_eq!(fs::read(setup.fetch().unwrap()).unwrap(), good_file());
    assert_eq!(setup.cached(), [FILE_NAME]);
}

#[test]
fn files_in_the_own_folder_are_never_replaced() {
    let mut setup = Setup::new(Answer::Body(good_file()));
    let own = setup.root.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join(FILE_NAME), "damaged").unwrap();
    setup.lookup.own_folder = Some(own.clone());
    let error = setup.fetch().unwrap_err();
    assert!(
        matches!(&error, WeightsError::CorruptFile { path, .. } if *path == own.join(FILE_NAME)),
        "{error:?}"
    );
    assert!(setup.requests.lock().unwrap().is_empty());

    // Under a name that promises no hash it is the user's business what it holds.
    fs::rename(own.join(FILE_NAME), own.join("resnet18.pth")).unwrap();
    assert_eq!(setup.fetch().unwrap(), own.join("resnet18.pth"));
}

#[test]
fn leftovers_of_killed_downloads_are_removed() {
    let setup = Setup::new(Answer::Body(good_file()));
    let folder = setup.root.path().join("cache");
    fs::create_dir(&folder).unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    for (name, modified) in [("old", long_ago), ("new", SystemTime::now())] {
        let part = fs::File::create(folder.join(format!(".{FILE_NAME}.{name}.part"))).unwrap();
        part.set_modified(modified).unwrap();
    }
    setup.fetch().unwrap();
    let mut left = setup.cached();
    left.sort();
    assert_eq!(
        left,
        [format!(".{FILE_NAME}.new.part"), FILE_NAME.to_owned()]
    );
}

#[test]
fn without_a_cache_folder_nothing_is_downloaded() {
    let mut setup = Setup::new(Answer::Body(good_file()));
    setup.lookup.cache_folder = None;
    assert!(matches!(
        setup.fetch(),
        Err(WeightsError::NoCacheFolder { .. })
    ));
    assert!(setup.requests.lock().unwrap().is_empty());
}
