//! A folder of one run among the temporary ones.

use crate::doors::cli::shared::failure::Failure;
use std::path::PathBuf;

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
