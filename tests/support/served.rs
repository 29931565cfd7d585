//! Our own server as a process: started, told to end, or killed.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use super::process::{OwnChild, PATIENCE, wait_until};

/// A running `cardwright host serve`.
pub(crate) struct Served {
    child: OwnChild,
    /// `tcp:HOST:PORT`.
    pub(crate) address: String,
    /// `HOST:PORT/metrics`, where it has a page of figures.
    pub(crate) page: Option<String>,
    log: JoinHandle<String>,
}

impl Served {
    /// Starts the command and waits until it listens.
    ///
    /// # Errors
    /// It does not start, or ends before it listens; with its log.
    pub(crate) fn start(mut command: Command) -> Result<Self, String> {
        let wants_page = command.get_args().any(|argument| argument == "--metrics");
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("{command:?}: {error}"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (Some(stdout), Some(mut stderr)) = (stdout, stderr) else { return Err("no pipes".into()) };
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let mut lines = BufReader::new(stdout).lines();
        let (mut address, mut page) = (None, None);
        while address.is_none() || (page.is_none() && wants_page) {
            let Some(Ok(line)) = lines.next() else { break };
            address = line.strip_prefix("host at ").map(str::to_owned).or(address);
            page = line.strip_prefix("figures at http://").map(str::to_owned).or(page);
        }
        let child = OwnChild(child);
        match address {
            Some(address) => Ok(Self { child, address, page, log }),
            None => Err(format!("no host: {}", log.join().unwrap_or_default())),
        }
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// The most memory that it has had, bytes (`VmHWM`).
    ///
    /// # Errors
    /// The system does not say.
    pub(crate) fn peak_bytes(&self) -> Result<u64, String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kib = line.trim().trim_end_matches(" kB").parse::<u64>();
        kib.map(|kib| kib * 1024).map_err(|error| format!("VmHWM {line:?}: {error}"))
    }

    /// Asks it to end (SIGTERM); gives its exit code and its log.
    ///
    /// # Errors
    /// It does not end.
    pub(crate) fn end(mut self) -> Result<(Option<i32>, String), String> {
        let told = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        if !told.is_ok_and(|status| status.success()) {
            return Err("it could not be told to end".into());
        }
        let status = wait_until(PATIENCE, || self.child.0.try_wait().ok().flatten());
        let status = status.ok_or("it was told to end 20 s ago and has not")?;
        Ok((status.code(), self.log.join().unwrap_or_default()))
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub(crate) fn kill(self) {
        drop(self.child);
        let _ = self.log.join();
    }
}
