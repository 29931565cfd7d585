//! Our own card on a PC/SC reader: programs that no one here wrote select it and read
//! its balance, over both interfaces, and our own terminal reads, loads and pays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};

use super::programs::{INTERFACES, done, opensc_tool, pyscard, scriptor};
use crate::support::pcscd::{PORT, PrivatePcscd};
use crate::support::process::{Answer, OwnChild, PATIENCE, Running, run, wait_until};
use crate::support::{Skip, program, python, require_or_skip};

pub(super) const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
/// What a command says that has no reader named, where one holds a card.
const HINT: &str = "cardwright read --reader pcsc\n";

pub(crate) fn trials() -> Vec<Trial> {
    INTERFACES.iter().flat_map(|(interface, atr)| of_interface(interface, atr)).collect()
}

fn of_interface(interface: &'static str, atr: &'static str) -> Vec<Trial> {
    let trial = |name_of: &'static str,
                 test: fn(&mut Served, &Path, &str) -> Result<(), Failed>,
                 program: Find| {
        let name = format!("counterparts::our_card::{interface}::{name_of}");
        Trial::ignorable_test(name, move || {
            let found = program().and_then(|program| Ok((program, Served::on_a_reader("ecash", interface)?)));
            require_or_skip(found, |(program, served)| test(&mut served?, &program, atr))
        })
    };
    vec![
        trial(
            "opensc_tool",
            |served, program, atr| opensc_tool(&on(served), program, atr),
            || program("opensc-tool", "opensc"),
        ),
        trial(
            "scriptor",
            |served, program, _| scriptor(&on(served), program),
            || program("scriptor", "pcsc-tools"),
        ),
        trial("pyscard", |served, program, atr| pyscard(&on(served), program, atr), || python("smartcard")),
        trial("cardwright", cardwright, || Ok(CARDWRIGHT.into())),
        trial("pulled", pulled, || program("opensc-tool", "opensc")),
    ]
}

/// Starts programs beside the reader.
fn on(served: &Served) -> impl Fn(&Path) -> Command {
    |program| served.daemon.command(program)
}

/// Finds the program that a trial needs.
type Find = fn() -> Result<PathBuf, Skip>;

/// A card of ours on a reader of a daemon of the test's own.
pub(super) struct Served {
    // Dropped in this order: the card goes before its reader.
    card: OwnChild,
    pub(super) daemon: PrivatePcscd,
    folder: tempfile::TempDir,
    interface: String,
}

impl Served {
    /// Makes account and card, starts the daemon, and serves the card. What is missing
    /// is a [`Skip`]; what fails of ours is a failure.
    pub(super) fn on_a_reader(profile: &str, interface: &str) -> Result<Result<Self, Failed>, Skip> {
        let opensc_tool = program("opensc-tool", "opensc")?;
        let daemon = PrivatePcscd::start("Virtual PCD")?;
        Ok(Self::begin(daemon, &opensc_tool, profile, interface))
    }

    fn begin(
        daemon: PrivatePcscd,
        opensc_tool: &Path,
        profile: &str,
        interface: &str,
    ) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("pin"), "123456\n")?;
        let here = |arguments: &[&str]| {
            let mut command = Command::new(CARDWRIGHT);
            done(run(command.args(arguments).current_dir(folder.path()), "", PATIENCE)?)
        };
        here(&["account", "open", "--balance", "500.00", "--id", "A1"])?;
        here(&["card", "new", profile, "my.card", "--account", "A1", "--balance", "100.00"])?;
        let card = serve(&daemon, folder.path(), interface, PORT)?;
        let own = Self { card: OwnChild(card), daemon, folder, interface: interface.into() };
        own.daemon.wait_for_card(opensc_tool).map_err(|error| {
            format!("{error}\n{}", fs::read_to_string(own.folder.path().join("served")).unwrap_or_default())
        })?;
        Ok(own)
    }

    /// Puts the card on another reader after it was pulled: the driver of the virtual
    /// one does not find a card again that left it in the middle of an APDU.
    pub(super) fn put_back(&mut self, opensc_tool: &Path) -> Result<(), Failed> {
        self.put_behind(PORT, |_| Ok(()))?;
        Ok(self.daemon.wait_for_card(opensc_tool)?)
    }

    /// Puts the card behind another port of a fresh daemon's network, on which something listens
    /// once `begun` is done.
    pub(super) fn put_behind(
        &mut self,
        port: u16,
        begun: impl FnOnce(&PrivatePcscd) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        self.pull()?;
        self.daemon = PrivatePcscd::start("Virtual PCD").map_err(|skip| skip.0)?;
        begun(&self.daemon)?;
        self.card = OwnChild(serve(&self.daemon, self.folder.path(), &self.interface, port)?);
        Ok(())
    }

    /// Ends the card where it is.
    fn pull(&mut self) -> Result<(), Failed> {
        // Already gone is as good.
        let _ = self.card.0.kill();
        self.card.0.wait()?;
        Ok(())
    }

    /// A file of the card's folder.
    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs our own program on the reader, with the card's books.
    pub(super) fn cardwright(&self, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Result<Answer, Failed> {
        Ok(run(&mut self.command(arguments), "", PATIENCE)?)
    }

    fn command(&self, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Command {
        let mut command = self.daemon.command(CARDWRIGHT);
        command.args(arguments).args(["--reader", "pcsc", "--json"]);
        command.arg("--store").arg(format!("sqlite:{}", self.path("cardwright.db")));
        command.arg("--state").arg(self.path("state")).arg("--pin-file").arg(self.path("pin"));
        command
    }
}

/// Serves the card on the daemon's reader.
fn serve(daemon: &PrivatePcscd, folder: &Path, interface: &str, port: u16) -> Result<Child, Failed> {
    let card = daemon
        .command(CARDWRIGHT)
        .args(["card", "serve", &format!("sim:{}", folder.join("my.card").display())])
        .args(["--on", &format!("vpcd:127.0.0.1:{port}"), "--interface", interface])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("served"))?)
        .spawn()?;
    Ok(card)
}

/// Our own terminal on the same reader: exact balances on the card and in the books.
fn cardwright(served: &mut Served, _program: &Path, _atr: &str) -> Result<(), Failed> {
    let value = |arguments: &[&str]| -> Result<serde_json::Value, Failed> {
        Ok(serde_json::from_str(&done(served.cardwright(arguments)?)?)?)
    };
    let card = |minor: u64| -> Result<(), Failed> {
        let read = value(&["read"])?;
        let balance = &read["card"]["applications"][0]["ecash"][0]["balance"]["minor"];
        same("the card's balance", balance.as_u64(), minor)
    };
    let account = |minor: u64| -> Result<(), Failed> {
        same("the account", value(&["account", "list"])?["accounts"][0]["balance_minor"].as_u64(), minor)
    };
    // With no reader named, the first lines point to the card that is there.
    // The command does not wait long for the daemon's word.
    let hint = || run(served.daemon.command(CARDWRIGHT).arg("read"), "", PATIENCE);
    let hinted = wait_until(PATIENCE, || hint().ok().filter(|said| said.stdout.contains(HINT)));
    hinted.ok_or_else(|| format!("expected {HINT:?}, found {:?}", hint()))?;
    let readers = value(&["readers"])?;
    if readers["readers"][0]["atr"].as_str().is_none() {
        return Err(format!("expected a reader that holds a card, found {readers}").into());
    }
    card(10_000)?;
    account(50_000)?;
    let load = value(&["load", "50.00"])?;
    same("after the load", load["outcome"]["balance_after"]["minor"].as_u64(), 15_000)?;
    card(15_000)?;
    account(45_000)?;
    let pay = value(&["pay", "12.50"])?;
    same("after the payment", pay["outcome"]["balance_after"]["minor"].as_u64(), 13_750)?;
    card(13_750)?;
    let uploaded = value(&["upload"])?;
    same("rows uploaded", uploaded["recovery"]["rows"].as_array().map(|rows| rows.len() as u64), 1)?;
    account(45_000)
}

/// The card is pulled while it is loaded, at several moments: whatever the load came
/// to, after recovery card and account hold what they held together before.
fn pulled(served: &mut Served, program: &Path, _atr: &str) -> Result<(), Failed> {
    let value = |served: &Served, arguments: &[&str]| -> Result<serde_json::Value, Failed> {
        Ok(serde_json::from_str(&done(served.cardwright(arguments)?)?)?)
    };
    for delay_ms in [10, 20, 30, 40, 50, 60, 80] {
        let load = Running::begin(&mut served.command(&["load", "1.00"]), "")?;
        std::thread::sleep(Duration::from_millis(delay_ms));
        served.pull()?;
        let Answer { code, stderr: complaint, .. } = load.end(PATIENCE)?;
        let holds_a_row = complaint.contains("the journal holds");
        match code {
            Some(0) => {}
            Some(4) if !holds_a_row || complaint.contains("cardwright recover") => {}
            code => return Err(format!("after {delay_ms} ms: exit code {code:?}: {complaint}").into()),
        }
        served.put_back(program)?;
        let recovered = served.cardwright(&["recover"])?;
        let recovered = done(recovered).map_err(|why| {
            let told = why.message().unwrap_or_default();
            format!("after {delay_ms} ms, exit code {code:?}: {told}\n{complaint}")
        })?;
        let read = value(served, &["read"])?;
        let card = read["card"]["applications"][0]["ecash"][0]["balance"]["minor"].as_u64();
        let account = value(served, &["account", "list"])?["accounts"][0]["balance_minor"].as_u64();
        let sum = card.zip(account).map(|(card, account)| card + account);
        same(&format!("the sum after {delay_ms} ms ({recovered})"), sum, 60_000)?;
    }
    Ok(())
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: Option<T>,
    expected: T,
) -> Result<(), Failed> {
    if found.as_ref() == Some(&expected) {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, found {found:?}").into())
    }
}
