//! What stands between us and a reader, each with its remedy.

use crate::air::link::LinkError;
use pcsc::{Error, Scope};

/// Connects to the daemon.
///
/// # Errors
/// [`LinkError::Unavailable`] that names the library, the daemon or the leave that is missing.
pub(super) fn establish() -> Result<pcsc::Context, LinkError> {
    #[cfg(target_os = "linux")]
    if let Err(missing) = super::loader::ready() {
        return Err(LinkError::Unavailable {
            missing: missing.to_string(),
            remedy: "on Debian: apt install libpcsclite1 pcscd".into(),
        });
    }
    pcsc::Context::establish(Scope::User)
        .map_err(|error| unavailable("connecting to the PC/SC daemon", error))
}

/// An error of the daemon or of the way to it.
pub(super) fn unavailable(doing: &str, error: Error) -> LinkError {
    let (missing, remedy) = match error {
        // The last two are what a call says during which the daemon ended, and the next one.
        Error::NoService
        | Error::ServiceStopped
        | Error::Shutdown
        | Error::CommError
        | Error::InvalidHandle => (
            "the PC/SC daemon does not answer",
            "start it, on Debian: apt install pcscd && systemctl start pcscd.socket",
        ),
        Error::SecurityViolation | Error::NoAccess => (
            "this user may not use the PC/SC daemon",
            "run in a local session, or add a polkit rule for org.debian.pcsc-lite.access_pcsc",
        ),
        Error::ReaderUnavailable | Error::UnknownReader => {
            ("the reader has gone", "plug it in again; `cardwright readers` lists what is there")
        }
        error => return LinkError::Io { doing: doing.into(), cause: error.to_string() },
    };
    LinkError::Unavailable { missing: format!("{doing}: {missing}"), remedy: remedy.into() }
}

/// Whether the PC/SC library can be used.
///
/// # Errors
/// Why not.
pub fn library_ready() -> Result<(), String> {
    #[cfg(target_os = "linux")]
    super::loader::ready().map_err(ToString::to_string)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_has_a_remedy() {
        let text = |error| unavailable("listing the readers", error).to_string();
        for gone in [Error::NoService, Error::CommError, Error::InvalidHandle] {
            assert!(text(gone).contains("systemctl start pcscd.socket"));
        }
        assert!(text(Error::SecurityViolation).contains("polkit"));
        assert!(text(Error::UnknownReader).contains("plug it in again"));
        assert!(matches!(unavailable("x", Error::InternalError), LinkError::Io { .. }));
    }
}
