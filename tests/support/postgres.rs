//! A PostgreSQL cluster of the test's own: in a folder that vanishes, on a socket in it
//! and no port, run by nobody in particular, and gone with the thread that began it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::process::{OwnChild, PATIENCE, run, wait_until};
use super::{Skip, program};

/// Whom the server runs as where the test is root, which PostgreSQL refuses to be:
/// the user `nobody` of Debian and its like.
const NOBODY: u32 = 65534;

/// A running cluster.
#[derive(Debug)]
pub(crate) struct PrivatePostgres {
    server: Option<OwnChild>,
    programs: PathBuf,
    folder: tempfile::TempDir,
    as_nobody: bool,
    durable: bool,
}

impl PrivatePostgres {
    /// Makes and starts a cluster. One that is not durable is faster, and forgets what it
    /// was told when the machine stops; tests that kill it want a durable one.
    ///
    /// # Errors
    /// A [`Skip`] that names what this machine lacks.
    pub(crate) fn start(durable: bool) -> Result<Self, Skip> {
        let programs = programs()?;
        program("setpriv", "util-linux")?;
        let broken = |error: std::io::Error| Skip(format!("no folder for a cluster: {error}"));
        let folder = tempfile::tempdir().map_err(broken)?;
        let as_nobody = fs::metadata("/proc/self").map_err(broken)?.uid() == 0;
        if as_nobody {
            std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).map_err(broken)?;
        }
        let mut own = Self { server: None, programs, folder, as_nobody, durable };
        let mut initdb = own.command("initdb");
        initdb.args(["-A", "trust", "-U", "cardwright", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]);
        match run(initdb.arg(own.data()), "", PATIENCE) {
            Ok(answer) if answer.success() => own.resume().map(|()| own),
            Ok(answer) => Err(Skip(format!("initdb failed: {}", answer.stderr.trim()))),
            Err(error) => Err(Skip(format!("initdb does not run: {error}"))),
        }
    }

    /// Starts the server of a cluster that was stopped.
    ///
    /// # Errors
    /// A [`Skip`] with what the server said.
    pub(crate) fn resume(&mut self) -> Result<(), Skip> {
        let log = self.folder.path().join("log");
        let broken = |error: std::io::Error| Skip(format!("the server does not start: {error}"));
        let written = fs::File::create(&log).map_err(broken)?;
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        server.args(["-c", "listen_addresses="]).args(["-c", "max_connections=200"]);
        if !self.durable {
            server.args(["-c", "fsync=off"]);
        }
        server.stdin(Stdio::null()).stdout(written.try_clone().map_err(broken)?).stderr(written);
        let mut server = OwnChild(server.spawn().map_err(broken)?);
        let status = self.data().join("postmaster.pid");
        let up = wait_until(PATIENCE, || {
            let gone = server.0.try_wait().ok().flatten().map(|_| false);
            let ready = || fs::read_to_string(&status).is_ok_and(|text| text.contains("ready"));
            gone.or_else(|| ready().then_some(true))
        });
        self.server = Some(server);
        match up {
            Some(true) => Ok(()),
            _ => {
                let said = fs::read_to_string(&log).unwrap_or_default();
                Err(Skip(format!("PostgreSQL does not come up: {}", said.trim())))
            }
        }
    }

    /// Stops the server as a power cut would: `pg_ctl stop -m immediate`.
    ///
    /// # Errors
    /// What the program said.
    pub(crate) fn stop_immediately(&mut self) -> Result<(), String> {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "-m", "immediate", "-D"]);
        let answer = run(stop.arg(self.data()), "", PATIENCE)?;
        self.server = None;
        answer.success().then_some(()).ok_or(answer.stderr)
    }

    /// The address of its first database, as `--store` takes it.
    pub(crate) fn address(&self) -> String {
        format!("postgres:///postgres?host={}&user=cardwright", self.folder.path().display())
    }

    /// The folder of all its files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of PostgreSQL under the user that may run it; it ends with this thread.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new("setpriv");
        if self.as_nobody {
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
        }
        command.args(["--pdeathsig", "KILL"]).arg(self.programs.join(name));
        // The working folder of root is often closed to others.
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if self.server.is_some() {
            // Its children and shared memory go with it; the folder follows.
            let _ = self.stop_immediately();
        }
    }
}

/// Where the server's programs are: Debian keeps them off the PATH.
fn programs() -> Result<PathBuf, Skip> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let whole =
        |folder: &Path| ["initdb", "postgres", "pg_ctl"].iter().all(|name| folder.join(name).is_file());
    if let Some(folder) = folders.into_iter().rev().find(|folder| whole(folder)) {
        return Ok(folder);
    }
    let initdb = program("initdb", "postgresql")?;
    let folder = initdb.parent().map(Path::to_owned).unwrap_or_default();
    whole(&folder).then_some(folder).ok_or_else(|| Skip("initdb is here, and postgres is not".into()))
}
