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

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
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
            let profile = match name_of {
                "purse" => "eped",
                "city" => "t-union",
                _ => "ecash",
            };
            let found = program().and_then(|program| Ok((program, Served::on_a_reader(profile, interface)?)));
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
        trial("purse", purse, || Ok(CARDWRIGHT.into())),
        trial("city", city, || Ok(CARDWRIGHT.into())),
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
struct Served {
    // Dropped in this order: the card goes before its reader.
    card: OwnChild,
    daemon: PrivatePcscd,
    folder: tempfile::TempDir,
    interface: String,
}

impl Served {
    /// Makes account and card, starts the daemon, and serves the card. What is missing
    /// is a [`Skip`]; what fails of ours is a failure.
    fn on_a_reader(profile: &str, interface: &str) -> Result<Result<Self, Failed>, Skip> {
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
        let card = serve(&daemon, folder.path(), interface)?;
        let own = Self { card: OwnChild(card), daemon, folder, interface: interface.into() };
        own.daemon.wait_for_card(opensc_tool).map_err(|error| {
            format!("{error}\n{}", fs::read_to_string(own.folder.path().join("served")).unwrap_or_default())
        })?;
        Ok(own)
    }

    /// Puts the card on another reader after it was pulled: the driver of the virtual
    /// one does not find a card again that left it in the middle of an APDU.
    fn put_back(&mut self, opensc_tool: &Path) -> Result<(), Failed> {
        self.daemon = PrivatePcscd::start("Virtual PCD").map_err(|skip| skip.0)?;
        self.card = OwnChild(serve(&self.daemon, self.folder.path(), &self.interface)?);
        Ok(self.daemon.wait_for_card(opensc_tool)?)
    }

    /// Runs our own program on the reader, with the card's books.
    fn cardwright(&self, arguments: &[&str]) -> Result<Answer, Failed> {
        Ok(run(&mut self.command(arguments), "", PATIENCE)?)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let at = |name: &str| self.folder.path().join(name);
        let mut command = self.daemon.command(CARDWRIGHT);
        command.args(arguments).args(["--reader", "pcsc", "--json"]);
        command.arg("--store").arg(format!("sqlite:{}", at("cardwright.db").display()));
        command.arg("--state").arg(at("state")).arg("--pin-file").arg(at("pin"));
        command
    }
}

/// Serves the card on the daemon's reader.
fn serve(daemon: &PrivatePcscd, folder: &Path, interface: &str) -> Result<Child, Failed> {
    let card = daemon
        .command(CARDWRIGHT)
        .args(["card", "serve", &format!("sim:{}", folder.join("my.card").display())])
        .args(["--on", &format!("vpcd:127.0.0.1:{PORT}"), "--interface", interface])
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

/// A purse on the reader, before a simulated security module: exact balances of deposit, purse,
/// account and books.
fn purse(served: &mut Served, _program: &Path, _atr: &str) -> Result<(), Failed> {
    let value = |arguments: &[&str]| -> Result<serde_json::Value, Failed> {
        Ok(serde_json::from_str(&done(served.cardwright(arguments)?)?)?)
    };
    let balances = |deposit: u64, purse: u64, account: u64| -> Result<(), Failed> {
        let read = value(&["read"])?;
        let told = |at: usize| read["card"]["purses"][0]["balances"][at]["balance"]["minor"].as_u64();
        same("the deposit", told(0), deposit)?;
        same("the purse", told(1), purse)?;
        same("the account", value(&["account", "list"])?["accounts"][0]["balance_minor"].as_u64(), account)
    };
    balances(10_000, 10_000, 50_000)?;
    value(&["load", "50.00"])?;
    balances(10_000, 15_000, 45_000)?;
    value(&["pay", "12.50", "--sam", "sim:psam"])?;
    value(&["pay", "3.00", "--sam", "sim:psam", "--purse", "ed"])?;
    balances(9_700, 13_750, 45_000)?;
    let gate = value(&["gate", "run", "--sam", "sim:psam"])?;
    same("rides told to the issuer", gate["upload"]["paid"].as_u64(), 1)?;
    balances(9_700, 13_550, 45_000)?;
    value(&["unload", "97.00"])?;
    balances(0, 13_550, 54_700)?;
    let status = value(&["recover"])?;
    let open = status["recovery"]["rows"].as_array().map(|rows| rows.len() as u64);
    same("rows that are open", open, 0)
}

/// A T-Union card on the reader: what its layout names, and a payment in its log.
fn city(served: &mut Served, _program: &Path, _atr: &str) -> Result<(), Failed> {
    let value = |arguments: &[&str]| -> Result<serde_json::Value, Failed> {
        Ok(serde_json::from_str(&done(served.cardwright(arguments)?)?)?)
    };
    value(&["load", "20.00"])?;
    value(&["pay", "2.00", "--sam", "sim:psam"])?;
    let read = value(&["read"])?;
    let purse = &read["card"]["purses"][0];
    same("the purse", purse["balances"][0]["own_minor"].as_u64(), 11_800)?;
    same("its log", purse["log"].as_array().map(|log| log.len() as u64), 2)?;
    for (field, expected) in [("city", "Beijing (1000)"), ("valid until", "2035-12-31")] {
        if purse["fields"][field] != expected {
            return Err(format!("{field}: expected {expected}, found {}", purse["fields"][field]).into());
        }
    }
    Ok(())
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
        served.card.0.kill()?;
        served.card.0.wait()?;
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

fn same(what: &str, found: Option<u64>, expected: u64) -> Result<(), Failed> {
    if found == Some(expected) {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected}, found {found:?}").into())
    }
}
