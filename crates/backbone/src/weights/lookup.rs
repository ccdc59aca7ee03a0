//! The order in which weights are looked for.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use super::download::{self, DownloadOptions, Progress};
use super::{Published, WeightsError, published, sha256};
use crate::ResNetVariant;

/// Environment variable that names a folder of weights files.
pub const WEIGHTS_FOLDER_VARIABLE: &str = "CKAAD_WEIGHTS";

/// The folders in which weights are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lookup {
    /// The user's own folder of weights, only read from; it comes first.
    pub own_folder: Option<PathBuf>,
    /// The folder into which weights are downloaded.
    pub cache_folder: Option<PathBuf>,
}

/// What is known about the weights of a variant, without using the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightsInfo {
    /// The network.
    pub variant: ResNetVariant,
    /// Name of the published file.
    pub file_name: &'static str,
    /// Address of the published file.
    pub url: &'static str,
    /// The file on this machine that would be used, if there is one.
    pub local: Option<PathBuf>,
}

impl Lookup {
    /// The folders of this user: `$CKAAD_WEIGHTS` unless it is unset or empty, and `ckaad/weights` in the system's cache
    /// folder (on Linux `~/.cache/ckaad/weights`).
    pub fn from_environment() -> Self {
        Self {
            own_folder: env::var_os(WEIGHTS_FOLDER_VARIABLE)
                .filter(|folder| !folder.is_empty())
                .map(PathBuf::from),
            cache_folder: BaseDirs::new()
                .map(|dirs| dirs.cache_dir().join("ckaad").join("weights")),
        }
    }

    /// The weights file of `variant` on this machine, if there is one: `explicit` if given, else the first match in the
    /// own folder, else in the cache folder. Uses no network and does not read the file.
    ///
    /// # Errors
    /// [`WeightsError::NotAFile`] if `explicit` is not a file, [`WeightsError::NotAFolder`] if the own folder is not a
    /// folder: what the user asked for by name is not passed over in silence.
    pub fn find(
        &self,
        variant: ResNetVariant,
        explicit: Option<&Path>,
    ) -> Result<Option<PathBuf>, WeightsError> {
        if let Some(path) = explicit {
            return if path.is_file() {
                Ok(Some(path.to_owned()))
            } else {
                Err(WeightsError::NotAFile {
                    path: path.to_owned(),
                })
            };
        }
        if let Some(folder) = self.own_folder.as_deref().filter(|folder| !folder.is_dir()) {
            return Err(WeightsError::NotAFolder {
                path: folder.to_owned(),
            });
        }
        let names = [
            format!("{variant}.safetensors"),
            format!("{variant}.pth"),
            published(variant).file_name.to_owned(),
        ];
        let folders = [&self.own_folder, &self.cache_folder].into_iter().flatten();
        let mut candidates =
            folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
        Ok(candidates.find(|path| path.is_file()))
    }

    /// What is known about the weights of `variant`. Uses no network and does not read the file.
    ///
    /// # Errors
    /// [`WeightsError::NotAFolder`] if the own folder is not a folder.
    pub fn info(&self, variant: ResNetVariant) -> Result<WeightsInfo, WeightsError> {
        let Published { file_name, url, .. } = published(variant);
        let local = self.find(variant, None)?;
        Ok(WeightsInfo {
            variant,
            file_name,
            url,
            local,
        })
    }

    /// Makes sure that the weights of `variant` are on this machine and returns their path: that of [`Self::find`], or
    /// else of the published file, downloaded into the cache folder.
    ///
    /// A file under its published name is checked against the hash that the name carries. One in the cache folder that
    /// fails is downloaded anew, and stays as it is until the new file is complete and checked.
    ///
    /// `progress` is called after each piece that arrives; not at all if nothing has to be downloaded.
    ///
    /// # Errors
    /// Those of [`Self::find`]; [`WeightsError::CorruptFile`] if a file under its published name in the own folder fails
    /// the check; and every way in which a download can fail, after which nothing of it is left behind.
    pub fn fetch(
        &self,
        variant: ResNetVariant,
        progress: &mut dyn FnMut(Progress),
        options: &DownloadOptions,
    ) -> Result<PathBuf, WeightsError> {
        let file = published(variant);
        let cached = self
            .cache_folder
            .as_ref()
            .map(|folder| folder.join(file.file_name));
        if let Some(path) = self.find(variant, None)? {
            if path.file_name() != Some(OsStr::new(file.file_name)) {
                return Ok(path);
            }
            let actual = sha256::of_file(&path)?;
            if actual.starts_with(file.sha256_prefix) {
                return Ok(path);
            }
            if cached.as_ref() != Some(&path) {
                return Err(WeightsError::CorruptFile {
                    path,
                    expected: file.sha256_prefix,
                    actual,
                });
            }
            tracing::warn!(path = %path.display(), "the cached weights are damaged and are downloaded anew");
        }
        let Some(target) = cached else {
            return Err(WeightsError::NoCacheFolder {
                url: file.url.to_owned(),
            });
        };
        download::download(&file, &target, progress, options)?;
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const VARIANT: ResNetVariant = ResNetVariant::ResNet18;
    const PUBLISHED: &str = "resnet18-f37072fd.pth";

    /// An own and a cache folder, each empty, in a temporary folder.
    fn folders() -> (TempDir, Lookup) {
        let root = TempDir::new().unwrap();
        let (own, cache) = (root.path().join("own"), root.path().join("cache"));
        fs::create_dir(&own).unwrap();
        fs::create_dir(&cache).unwrap();
        (
            root,
            Lookup {
                own_folder: Some(own),
                cache_folder: Some(cache),
            },
        )
    }

    #[test]
    fn each_place_and_name_comes_before_the_next() {
        let (root, lookup) = folders();
        let explicit = root.path().join("mine.pth");
        fs::write(&explicit, "").unwrap();
        let names = ["resnet18.safetensors", "resnet18.pth", PUBLISHED];
        let mut expected = Vec::new();
        for folder in [&lookup.own_folder, &lookup.cache_folder] {
            for name in names {
                let path = folder.as_ref().unwrap().join(name);
                fs::write(&path, "").unwrap();
                expected.push(path);
            }
        }
        assert_eq!(
            lookup.find(VARIANT, Some(&explicit)).unwrap(),
            Some(explicit)
        );
        for path in expected {
            assert_eq!(lookup.find(VARIANT, None).unwrap(), Some(path.clone()));
            fs::remove_file(path).unwrap();
        }
        assert_eq!(lookup.find(VARIANT, None).unwrap(), None);
    }

    #[test]
    fn other_variants_and_folders_are_passed_over() {
        let (_root, lookup) = folders();
        let own = lookup.own_folder.as_ref().unwrap();
        fs::write(own.join("resnet34.pth"), "").unwrap();
        fs::write(own.join("wide_resnet50_2-95faca4d.pth"), "").unwrap();
        fs::create_dir(own.join("resnet18.pth")).unwrap();
        assert_eq!(lookup.find(VARIANT, None).unwrap(), None);
        assert_eq!(Lookup::default().find(VARIANT, None).unwrap(), None);
    }

    #[test]
    fn what_is_asked_for_by_name_must_exist() {
        let (root, lookup) = folders();
        let missing = root.path().join("missing.pth");
        for path in [missing.as_path(), root.path()] {
            let error = lookup.find(VARIANT, Some(path)).unwrap_err();
            assert!(matches!(&error, WeightsError::NotAFile { path: named } if named == path));
            assert!(
                error.to_string().contains(path.to_str().unwrap()),
                "{error}"
            );
        }
        let lookup = Lookup {
            own_folder: Some(missing.clone()),
            ..lookup
        };
        let error = lookup.find(VARIANT, None).unwrap_err();
        assert!(matches!(&error, WeightsError::NotAFolder { path } if *path == missing));
        assert!(
            error.to_string().contains(missing.to_str().unwrap()),
            "{error}"
        );
    }

    #[test]
    fn info_names_the_published_and_the_local_file() {
        let (_root, lookup) = folders();
        let info = lookup.info(VARIANT).unwrap();
        assert_eq!(
            (info.variant, info.file_name, info.local),
            (VARIANT, PUBLISHED, None)
        );
        assert_eq!(
            info.url,
            "https://download.pytorch.org/models/resnet18-f37072fd.pth"
        );
        let local = lookup.cache_folder.as_ref().unwrap().join(PUBLISHED);
        fs::write(&local, "").unwrap();
        assert_eq!(lookup.info(VARIANT).unwrap().local, Some(local));
    }
}
