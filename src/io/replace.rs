//! Files that a run makes beside the code: written as a whole, in the place of what was there.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    #[error("cannot write `{}`: there is no folder `{}`", path.display(), folder.display())]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error("cannot write `{}`: it is a folder", path.display())]
    Folder { path: PathBuf },
    #[error("cannot write `{}`: {why}", path.display())]
    Denied { path: PathBuf, why: io::ErrorKind },
}

impl ReplaceError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoFolder { .. } => "make the folder first, or name a file in one that is there".into(),
            Self::Folder { .. } => "name a file in it".into(),
            Self::Denied { .. } => "check the permissions of the folder, or name a file in another one".into(),
        })
    }
}

/// Whether a file can be written, before anything else is done. Nothing stays of the attempt.
pub fn check(path: &Path) -> Result<(), ReplaceError> {
    let owned = || path.to_owned();
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(ReplaceError::Folder { path: owned() }),
        Ok(found) if !found.is_file() => return Ok(()),
        _ => {}
    }
    let folder = folder(path);
    if !folder.is_dir() {
        return Err(ReplaceError::NoFolder { path: owned(), folder: folder.to_owned() });
    }
    let made = tempfile::Builder::new().prefix(".cyclefix-").tempfile_in(folder);
    made.map(drop).map_err(|error| ReplaceError::Denied { path: owned(), why: error.kind() })
}

/// Puts `bytes` into the file, with the mode that it had; it stays as it is if they are there already.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What is no file, e.g. /dev/stdout, cannot be replaced, and may have no end to read.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return std::fs::write(path, bytes);
    }
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let mut file = tempfile::Builder::new().prefix(".cyclefix-").tempfile_in(folder(path))?;
    file.write_all(bytes)?;
    // Others have to read it, as any file that is committed.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_or(0o644, |old| old.permissions().mode());
        file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
