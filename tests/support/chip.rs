//! Our simulated PN532 as a process, and the programs that drive it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ports::{free_air, wait_for_listener};
use super::process::{OwnChild, PATIENCE, wait_until};

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");

/// A simulated chip.
pub(crate) struct SimulatedChip {
    _child: OwnChild,
    /// What programs open as a serial port.
    pub(crate) path: PathBuf,
    air: String,
}

impl SimulatedChip {
    /// Starts a chip in a folder, and waits until it is there. `more` are further arguments.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn start(folder: &Path, name: &str, air: &str, more: &[&str]) -> Result<Self, String> {
        let path = folder.join(name);
        let log = folder.join(format!("{name}.log"));
        let out = fs::File::create(&log).map_err(|error| error.to_string())?;
        let err = out.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new(CARDWRIGHT);
        command.args(["pn532", "serve", "--air", air, "--on"]);
        command.arg(format!("pty:{}", path.display())).args(more).arg("--state").arg(folder.join("state"));
        let child = command.current_dir(folder).stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = OwnChild(child.map_err(|error| format!("{command:?}: {error}"))?);
        let is_there = wait_until(PATIENCE, || path.exists().then_some(()));
        is_there.ok_or_else(|| fs::read_to_string(&log).unwrap_or_default())?;
        Ok(Self { _child: child, path, air: air.into() })
    }

    /// Two chips on an air of their own: one for a card, one for its reader.
    ///
    /// # Errors
    /// One does not start.
    pub(crate) fn pair(folder: &Path) -> Result<(Self, Self), String> {
        let air = free_air()?;
        Ok((Self::start(folder, "card", &air, &[])?, Self::start(folder, "reader", &air, &[])?))
    }

    /// The address of a driver of ours.
    pub(crate) fn address(&self) -> String {
        format!("pn532:{}", self.path.display())
    }

    /// The air that it is on.
    pub(crate) fn air(&self) -> &str {
        &self.air
    }

    /// Waits until its host has told a chip on UDP to let itself be found.
    ///
    /// # Errors
    /// It has not in time.
    pub(crate) fn listens(&self) -> Result<(), String> {
        wait_for_listener(&self.air)
    }

    /// A program of libnfc on this chip.
    pub(crate) fn libnfc(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let device = format!("pn532_uart:{}:115200", self.path.display());
        command.env("LIBNFC_DEFAULT_DEVICE", device).env("LIBNFC_LOG_LEVEL", "0");
        command
    }
}

impl Drop for SimulatedChip {
    /// Its link goes before it does: who opened one that is left behind would have whatever terminal
    /// the system gives that name next.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
