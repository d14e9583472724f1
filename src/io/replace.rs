//! Files that a run makes beside the code: written as a whole, in the place of what was there.

use std::io::{self, Write};
use std::path::Path;

/// Puts `bytes` into the file, with the mode that it had; it stays as it is if they are there already.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What is no file, e.g. /dev/stdout, cannot be replaced, and may have no end to read.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return std::fs::write(path, bytes);
    }
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".cyclefix-").tempfile_in(folder)?;
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
