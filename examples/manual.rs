//! Writes the man pages and the completions of a package below a folder, as they lie below
//! `/usr`: `cargo run --features manual --example manual -- FOLDER`.

use clap_complete::Shell;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let usage = || std::io::Error::other("expected a folder to write to");
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or_else(usage)?;
    let mut line = cardwright::doors::cli::line();
    line.build();
    let manual = folder.join("share/man/man1");
    std::fs::create_dir_all(&manual)?;
    clap_mangen::generate_to(line.clone(), &manual)?;
    for (shell, place) in [
        (Shell::Bash, "share/bash-completion/completions/cardwright"),
        (Shell::Zsh, "share/zsh/site-functions/_cardwright"),
        (Shell::Fish, "share/fish/vendor_completions.d/cardwright.fish"),
    ] {
        let file = folder.join(place);
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
        clap_complete::generate(shell, &mut line, "cardwright", &mut std::fs::File::create(file)?);
    }
    Ok(())
}
