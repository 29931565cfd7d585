//! A PC/SC daemon of the test's own, with virtual readers and nothing else: it lives
//! in mount and network namespaces of its own, so tests run side by side and beside
//! the machine's daemon, and never see a real reader.
//!
//! The path of the daemon's socket and its drivers' folder are compiled in: both are
//! covered by an empty file system. The virtual reader's port is the usual one, on a
//! loopback that only this daemon and the programs started through it share.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::process::{OwnChild, PATIENCE, run, wait_until};
use super::{Skip, program};

/// The port on which the driver waits for a card.
pub(crate) const PORT: u16 = 35963;

/// Where Debian and its like put the driver of the virtual reader.
const DRIVERS: &[&str] = &[
    "/usr/lib/pcsc/drivers/serial/libifdvpcd.so",
    "/usr/lib64/pcsc/drivers/serial/libifdvpcd.so",
    "/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so",
];

/// Covers what the daemon shares with the machine, brings the loopback up and becomes
/// the daemon, which so has the process number that the test knows.
/// `$1` is the daemon, `$2` its configuration.
const BEGIN: &str = r#"set -e
mkdir -p /run/pcscd
mount -t tmpfs none /run/pcscd
if [ -d /usr/lib/pcsc/drivers ]; then mount -t tmpfs none /usr/lib/pcsc/drivers; fi
ip link set lo up
exec "$1" --foreground --config "$2"
"#;

/// A running daemon. Dropping it ends the daemon; the namespaces go with it.
#[derive(Debug)]
pub(crate) struct PrivatePcscd {
    daemon: OwnChild,
    pcscd: PathBuf,
    nsenter: PathBuf,
    folder: tempfile::TempDir,
}

impl PrivatePcscd {
    /// Starts a daemon with the reader `name 00 00`; `Virtual PCD` is the usual name.
    ///
    /// # Errors
    /// A [`Skip`] that names what this machine lacks.
    pub(crate) fn start(name: &str) -> Result<Self, Skip> {
        let pcscd = program("pcscd", "pcscd")?;
        let driver = DRIVERS.iter().find(|path| fs::exists(path).unwrap_or(false));
        let driver =
            driver.ok_or_else(|| Skip("there is no libifdvpcd.so: apt install vsmartcard-vpcd".into()))?;
        let unshare = program("unshare", "util-linux")?;
        let setpriv = program("setpriv", "util-linux")?;
        let nsenter = program("nsenter", "util-linux")?;
        program("ip", "iproute2")?;
        may_unshare(&unshare)?;

        let folder = tempfile::tempdir().map_err(|error| Skip(format!("no temporary folder: {error}")))?;
        let configuration = configure(folder.path(), driver, name)
            .map_err(|error| Skip(format!("the daemon's configuration cannot be written: {error}")))?;
        let log = fs::File::create(folder.path().join("log"));
        let log = log.map_err(|error| Skip(format!("no log file: {error}")))?;
        // Should this process be killed, the daemon goes with the thread that began it.
        let daemon = Command::new(setpriv)
            .args(["--pdeathsig", "KILL"])
            .arg(unshare)
            .args(["--mount", "--net", "sh", "-c", BEGIN, "sh"])
            .args([&pcscd, &configuration])
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from))
            .stderr(log)
            .spawn()
            .map_err(|error| Skip(format!("unshare does not start: {error}")))?;
        let mut own = Self { daemon: OwnChild(daemon), pcscd, nsenter, folder };
        own.wait_until_it_answers().map_err(Skip)?;
        Ok(own)
    }

    /// Waits until the process is the daemon, whose name spaces are then its own, and takes
    /// connections: its socket is there before.
    fn wait_until_it_answers(&mut self) -> Result<(), String> {
        let process = PathBuf::from(format!("/proc/{}", self.daemon.0.id()));
        let (program, socket) = (process.join("exe"), process.join("root/run/pcscd/pcscd.comm"));
        let is_the_daemon = || fs::read_link(&program).is_ok_and(|program| program.ends_with("pcscd"));
        let answers = wait_until(PATIENCE, || {
            let gone = self.daemon.0.try_wait().ok().flatten().map(|_| false);
            gone.or_else(|| (is_the_daemon() && UnixStream::connect(&socket).is_ok()).then_some(true))
        });
        match answers {
            Some(true) => Ok(()),
            _ => Err(format!("pcscd does not come up: {}", self.log().trim())),
        }
    }

    /// A program that will run beside the daemon: it sees the daemon's readers and
    /// the loopback on which the virtual reader waits.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(&self.nsenter);
        command.arg("--target").arg(self.daemon.0.id().to_string());
        // The mount namespace changes the working folder to its root: it is set again.
        command.args(["--mount", "--net"]);
        command.arg(format!("--wd={}", env!("CARGO_MANIFEST_DIR")));
        command.arg("--").arg(program);
        command
    }

    /// Waits until the reader shows a card.
    ///
    /// # Errors
    /// It does not in time; the daemon's log is told.
    pub(crate) fn wait_for_card(&self, opensc_tool: &std::path::Path) -> Result<(), String> {
        let shown = wait_until(PATIENCE, || {
            let answer = run(self.command(opensc_tool).arg("--list-readers"), "", PATIENCE).ok()?;
            answer.stdout.lines().any(|line| line.contains(" Yes ")).then_some(())
        });
        shown.ok_or_else(|| format!("no reader shows a card; the daemon says: {}", self.log()))
    }

    /// Kills the daemon, and starts another one beside this program, which has seen the first.
    /// `begun` is called between the two.
    pub(crate) fn restart(
        &mut self,
        beside: u32,
        begun: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        let _ = (self.daemon.0.kill(), self.daemon.0.wait());
        begun()?;
        let mut command = Command::new(&self.nsenter);
        command.args(["--target", &beside.to_string(), "--mount", "--net", "--"]);
        command
            .arg(&self.pcscd)
            .args(["--foreground", "--config"])
            .arg(self.folder.path().join("readers"))
            .stdin(Stdio::null());
        let log = fs::File::options().append(true).open(self.folder.path().join("log"));
        let log = log.map_err(|error| error.to_string())?;
        command.stdout(log.try_clone().map_err(|error| error.to_string())?).stderr(log);
        self.daemon = OwnChild(command.spawn().map_err(|error| error.to_string())?);
        self.wait_until_it_answers()
    }

    /// Runs `work` on a thread whose network is the daemon's, for a card played by the
    /// test itself.
    pub(crate) fn in_its_network<T: Send>(&self, work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
        let network = self.network()?;
        std::thread::scope(|scope| {
            let entered = scope.spawn(move || {
                network.enter()?;
                Ok(work())
            });
            entered.join().unwrap_or_else(|_| Err(std::io::Error::other("the work panicked")))
        })
    }

    /// Its network, for a thread that enters it.
    pub(crate) fn network(&self) -> std::io::Result<Network> {
        fs::File::open(format!("/proc/{}/ns/net", self.daemon.0.id())).map(Network)
    }

    /// What the daemon has written.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// Writes the daemon's configuration: one virtual reader of this name. The driver is
/// copied, since its folder is covered so that no driver of a real reader is found.
fn configure(folder: &std::path::Path, driver: &str, name: &str) -> std::io::Result<PathBuf> {
    let library = folder.join("libifdvpcd.so");
    fs::copy(driver, &library)?;
    let configuration = folder.join("readers");
    fs::create_dir(&configuration)?;
    let library = library.display();
    fs::write(
        configuration.join("vpcd"),
        format!(
            "FRIENDLYNAME \"{name}\"\nDEVICENAME /dev/null:0x{PORT:04X}\nLIBPATH {library}\nCHANNELID 0x{PORT:04X}\n"
        ),
    )?;
    Ok(configuration)
}

/// Whether this user and machine allow namespaces of one's own.
pub(crate) fn may_unshare(unshare: &std::path::Path) -> Result<(), Skip> {
    let mut attempt = Command::new(unshare);
    attempt.args(["--mount", "--net", "sh", "-c", "mount -t tmpfs none /run && ip link set lo up"]);
    match run(&mut attempt, "", PATIENCE) {
        Ok(answer) if answer.success() => Ok(()),
        Ok(answer) => Err(Skip(format!("namespaces need root: {}", answer.stderr.trim()))),
        Err(error) => Err(Skip(error)),
    }
}

/// The network namespace of a daemon.
pub(crate) struct Network(fs::File);

impl Network {
    /// Moves the calling thread there.
    // The standard library has no setns, and a crate for one call would be too much.
    #[allow(unsafe_code)]
    pub(crate) fn enter(&self) -> std::io::Result<()> {
        use std::os::fd::AsRawFd;
        // SAFETY: the descriptor is open for as long as the call lasts, and the call touches no memory.
        match unsafe { libc::setns(self.0.as_raw_fd(), libc::CLONE_NEWNET) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    }
}
