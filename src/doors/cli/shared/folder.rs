//! A folder of one run among the temporary ones.

use crate::doors::cli::shared::failure::Failure;
use std::path::{Path, PathBuf};

/// Most folders of one process: a number that is taken is passed over.
const FOLDERS: u32 = 1000;

/// A new folder among the temporary ones, for its owner alone; `what` is what it is for.
pub(in crate::doors::cli) fn make_folder(what: &str) -> Result<PathBuf, Failure> {
    let base = std::env::temp_dir();
    let process = std::process::id();
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    for number in 0..FOLDERS {
        let folder = base.join(format!("cardwright-{what}-{process}-{number}"));
        match builder.create(&folder) {
            Ok(()) => return Ok(folder),
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(Failure::file("make the folder", &folder, cause)),
        }
    }
    Err(Failure::Usage(format!("{} is full of folders of earlier runs: remove them", base.display())))
}

/// A folder among the temporary ones that goes with this.
pub(in crate::doors::cli) struct Passing(PathBuf);

impl Passing {
    /// A new one; `what` is what it is for.
    pub(in crate::doors::cli) fn new(what: &str) -> Result<Self, Failure> {
        make_folder(what).map(Self)
    }

    /// Where it is.
    pub(in crate::doors::cli) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // Nothing of it is wanted any more.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
