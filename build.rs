//! Gathers `hardware/readers/*.toml` for the program, so that a reader is a file and no row.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name| env::var(name).map_err(io::Error::other);
    let folder = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("hardware/readers");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let rows: String = files.iter().map(|path| format!("    include_str!({path:?}),\n")).collect();
    fs::write(Path::new(&variable("OUT_DIR")?).join("readers.rs"), format!("&[\n{rows}]\n"))
}
