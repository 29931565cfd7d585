//! Our simulated PN532 as a process, and the programs that drive it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process::{OwnChild, SECONDS_20, wait_until};

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");

/// A simulated chip.
pub(crate) struct SimulatedChip {
    _child: OwnChild,
    /// What programs open as a serial port.
    pub(crate) path: PathBuf,
}

impl SimulatedChip {
    /// Starts a chip in a folder, and waits until it is there. `more` are further arguments.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn start(folder: &Path, name: &str, air: &str, more: &[&str]) -> Result<Self, String> {
        let path = folder.join(name);
        // One that was ended has left its link.
        let _ = fs::remove_file(&path);
        let log = folder.join(format!("{name}.log"));
        let out = fs::File::create(&log).map_err(|error| error.to_string())?;
        let err = out.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new(CARDWRIGHT);
        command.args(["pn532", "serve", "--air", air, "--on"]);
        command.arg(format!("pty:{}", path.display())).args(more).arg("--state").arg(folder.join("state"));
        let child = command.current_dir(folder).stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = OwnChild(child.map_err(|error| format!("{command:?}: {error}"))?);
        let is_there = wait_until(SECONDS_20, || path.exists().then_some(()));
        is_there.ok_or_else(|| fs::read_to_string(&log).unwrap_or_default())?;
        Ok(Self { _child: child, path })
    }

    /// The address of a driver of ours.
    pub(crate) fn address(&self) -> String {
        format!("pn532:{}", self.path.display())
    }

    /// A program of libnfc on this chip.
    pub(crate) fn libnfc(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let device = format!("pn532_uart:{}:115200", self.path.display());
        command.env("LIBNFC_DEFAULT_DEVICE", device).env("LIBNFC_LOG_LEVEL", "0");
        command
    }
}

/// Long enough for a program to have begun to listen.
pub(crate) const BEGUN: Duration = Duration::from_millis(700);
