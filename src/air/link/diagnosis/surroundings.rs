//! What is looked at: the machine's files, and what the PC/SC library and its daemon say. A test
//! makes them up.

use super::machine::Machine;
use crate::air::link::{LinkError, ReaderStatus};
use std::path::PathBuf;

/// What surrounds this program.
pub struct Surroundings {
    pub(super) machine: Machine,
    /// Whether the PC/SC library can be used, and why not.
    pub(super) library: Result<(), String>,
    pub(super) daemon: Daemon,
}

/// What the PC/SC daemon says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Daemon {
    /// Its readers.
    Readers(Vec<ReaderStatus>),
    /// It refuses, or is not there.
    Failed(LinkError),
    /// It has not answered in time.
    Silent,
}

impl Surroundings {
    /// This machine as it is.
    pub fn here() -> Self {
        let (library, daemon) = asked();
        Self::of("/", library, daemon)
    }

    /// A machine whose files are below a root.
    pub fn of(root: impl Into<PathBuf>, library: Result<(), String>, daemon: Daemon) -> Self {
        Self { machine: Machine::below(root), library, daemon }
    }

    /// The readers that the daemon sees.
    pub fn readers(&self) -> &[ReaderStatus] {
        match &self.daemon {
            Daemon::Readers(readers) => readers,
            Daemon::Failed(_) | Daemon::Silent => &[],
        }
    }
}

#[cfg(feature = "pcsc")]
fn asked() -> (Result<(), String>, Daemon) {
    use crate::air::link::pcsc;
    use std::sync::mpsc;
    use std::time::Duration;
    /// How long the daemon may take.
    const PATIENCE: Duration = Duration::from_secs(3);

    let library = pcsc::library_ready();
    let (answer, answers) = mpsc::channel();
    // The thread ends by itself, or with the process; nobody may listen any more.
    std::thread::spawn(move || answer.send((pcsc::DRIVER.list)()));
    let daemon = match answers.recv_timeout(PATIENCE) {
        Ok(Ok(readers)) => Daemon::Readers(readers),
        Ok(Err(error)) => Daemon::Failed(error),
        Err(_) => Daemon::Silent,
    };
    (library, daemon)
}

#[cfg(not(feature = "pcsc"))]
fn asked() -> (Result<(), String>, Daemon) {
    let without = "this program was built without the feature `pcsc`";
    let missing =
        LinkError::Unavailable { missing: without.into(), remedy: "build it with the feature".into() };
    (Err(without.into()), Daemon::Failed(missing))
}
