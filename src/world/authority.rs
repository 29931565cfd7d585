//! A certification authority in a folder: its keys sealed in one file.

use super::books::{KEY_FILE, seal_key};
use super::error::WorldError;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::base::store::Sealed;
use crate::roles::bureau::{Authority, AuthorityTerms};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file in the folder.
pub const AUTHORITY_FILE: &str = "authority.ca";
/// First bytes of the file: name and version.
const MAGIC: &[u8; 8] = b"CWAUTH\x00\x01";
/// What the seal is for.
const PURPOSE: &str = "certification.authority";

/// Makes a certification authority in a folder, which is made where it is absent. One
/// that is there already is not touched. `seal` names the sealing key's file; without
/// it the key is made in the folder.
pub fn make_authority(
    folder: &Path,
    terms: &AuthorityTerms,
    seal: Option<&Path>,
    context: &mut Context,
) -> Result<Authority, WorldError> {
    let file = folder.join(AUTHORITY_FILE);
    std::fs::create_dir_all(folder).map_err(|cause| error("make the folder", folder, &cause))?;
    if file.exists() {
        return Err(error("make", &file, &std::io::ErrorKind::AlreadyExists.into()));
    }
    // Never from a seed: who knows the seed would know the keys.
    let seed = Secret::new(Context::system(Discard).random());
    let authority = Authority::generate(terms, &seed)?;
    let key = seal_key(seal, Some(&file), context)?;
    let sealed = Sealed::seal(&key, PURPOSE, authority.to_text().expose().as_bytes(), context);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&file).and_then(|mut out| {
        out.write_all(&[MAGIC.as_slice(), &sealed.0].concat())?;
        out.sync_all()
    });
    written.map_err(|cause| error("make", &file, &cause))?;
    Ok(authority)
}

/// Opens the certification authority in a folder.
pub fn open_authority(
    folder: &Path,
    seal: Option<&Path>,
    context: &mut Context,
) -> Result<Authority, WorldError> {
    let file = folder.join(AUTHORITY_FILE);
    let bytes = std::fs::read(&file).map_err(|cause| error("read", &file, &cause))?;
    let none = || WorldError::NoAuthority { path: file.display().to_string() };
    let sealed = bytes.strip_prefix(MAGIC.as_slice()).ok_or_else(none)?;
    // A key in the folder is the authority's: the named one may be that of a card or of books.
    let seal = if folder.join(KEY_FILE).exists() { None } else { seal };
    let key = seal_key(seal, Some(&file), context)?;
    let opened = Sealed(sealed.to_vec()).open(&key, PURPOSE)?;
    let text = std::str::from_utf8(opened.expose()).map_err(|_| none())?;
    Ok(Authority::from_text(text)?)
}

fn error(doing: &'static str, path: &Path, cause: &std::io::Error) -> WorldError {
    WorldError::File { doing, path: PathBuf::from(path).display().to_string(), cause: cause.to_string() }
}
