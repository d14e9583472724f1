//! A folder of patches: made as a whole, or not at all.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    #[error("`{}` is no folder", .0.display())]
    NoFolder(PathBuf),
    #[error("cannot write patches to `{}`: {source}", folder.display())]
    Io { folder: PathBuf, source: io::Error },
}

impl PatchError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            PatchError::NotEmpty(_) => {
                "name a new folder, or empty this one: patches of two runs do not go together".into()
            }
            PatchError::NoFolder(_) => "name a folder that is not there yet, or is empty".into(),
            PatchError::Io { .. } => "check that the folder above it is there and can be written to".into(),
        })
    }
}

/// Checks that patches can be put there: the folder is empty, or not there yet.
pub fn check(folder: &Path) -> Result<(), PatchError> {
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) if folder.exists() && !folder.is_dir() => Err(PatchError::NoFolder(folder.to_owned())),
        Err(source) => Err(PatchError::Io { folder: folder.to_owned(), source }),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(PatchError::NotEmpty(folder.to_owned())),
        },
    }
}

/// Writes the files, by name, to the folder.
pub fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), PatchError> {
    check(folder)?;
    let fail = |source| PatchError::Io { folder: folder.to_owned(), source };
    let absolute = std::path::absolute(folder).map_err(fail)?;
    let above = absolute.parent().unwrap_or(&absolute);
    std::fs::create_dir_all(above).map_err(fail)?;
    let made = tempfile::Builder::new().prefix(".cyclefix-").tempdir_in(above).map_err(fail)?;
    for (name, bytes) in files {
        std::fs::write(made.path().join(name), bytes).map_err(fail)?;
    }
    // Others have to read it, as any folder that is made.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(made.path(), std::fs::Permissions::from_mode(0o755)).map_err(fail)?;
    }
    // Not every system puts a folder in the place of an empty one.
    if folder.is_dir() {
        std::fs::remove_dir(folder).map_err(fail)?;
    }
    std::fs::rename(made.keep(), folder).map_err(fail)
}
