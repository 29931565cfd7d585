//! The drop-in PC/SC library under programs that no one here wrote, unmodified, and its
//! calls beside those of pcscd, one by one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use libtest_mimic::{Failed, Trial};

use super::programs::{INTERFACES, done, opensc_tool, pyscard, scriptor};
use crate::support::pcscd::{PORT, PrivatePcscd};
use crate::support::process::{OwnChild, PATIENCE, run};
use crate::support::{Skip, program, python, require_or_skip};

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Sees the card come and go by the monitor of pyscard, while a hand moves it.
const CARD_MONITOR: &str = "
import json, os, queue, socket
from smartcard.CardMonitoring import CardMonitor, CardObserver
from smartcard.System import readers

changes = queue.Queue()
class Watch(CardObserver):
    def update(self, observable, actions):
        added, removed = actions
        # An observer is first told what is known so far, which may be nothing.
        if added or removed:
            changes.put('came %d, went %d' % (len(added), len(removed)))

first = readers()[0]
hand = socket.socket(socket.AF_UNIX)
hand.connect(os.environ['CARDWRIGHT_CONTROL'])
hand = hand.makefile('rw')
def ask(what):
    hand.write(json.dumps({'do': what}) + '\\n')
    hand.flush()
    assert json.loads(hand.readline())['ok']

CardMonitor().addObserver(Watch())
seen = [changes.get(timeout=10)]
for what in ['remove', 'insert']:
    ask(what)
    seen.append(changes.get(timeout=10))
print(seen)
";

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = INTERFACES.iter().flat_map(|(way, atr)| of_interface(way, atr)).collect();
    let trial = |name: &str, found: Find, test: fn(&Path) -> Result<(), Failed>| {
        Trial::ignorable_test(format!("counterparts::drop_in::{name}"), move || {
            let found = found().and_then(|program| library().map(|_| program));
            require_or_skip(found, |program| test(&program))
        })
    };
    trials.push(trial("pcsc_scan", || program("pcsc_scan", "pcsc-tools"), pcsc_scan));
    trials.push(trial("card_monitor", || python("smartcard"), card_monitor));
    trials.push(trial("example_in_python", || python("smartcard"), |python| example(python, "test_pull.py")));
    trials.push(trial(
        "example_in_java",
        || program("java", "default-jdk-headless"),
        |java| example(java, "PullTest.java"),
    ));
    trials.push(trial("the_crate_pcsc", || Ok(CARDWRIGHT.into()), the_crate_pcsc));
    trials.push(Trial::ignorable_test("counterparts::drop_in::as_pcscd_answers", || {
        let found = || {
            library()?;
            let opensc_tool = program("opensc-tool", "opensc")?;
            Ok((python("ctypes")?, opensc_tool, PrivatePcscd::start("Virtual PCD")?))
        };
        require_or_skip(found(), |(python, opensc_tool, daemon)| {
            as_pcscd_answers(&python, &opensc_tool, &daemon)
        })
    }));
    trials
}

fn of_interface(interface: &'static str, atr: &'static str) -> Vec<Trial> {
    let trial = |name: &str, found: Find, test: fn(&Path, &str, &str) -> Result<(), Failed>| {
        Trial::ignorable_test(format!("counterparts::drop_in::{interface}::{name}"), move || {
            let found = found().and_then(|program| library().map(|_| program));
            require_or_skip(found, |program| test(&program, interface, atr))
        })
    };
    vec![
        trial(
            "opensc_tool",
            || program("opensc-tool", "opensc"),
            |program, interface, atr| opensc_tool(&on(interface), program, atr),
        ),
        trial(
            "scriptor",
            || program("scriptor", "pcsc-tools"),
            |program, interface, _| scriptor(&on(interface), program),
        ),
        trial(
            "pyscard",
            || python("smartcard"),
            |program, interface, atr| pyscard(&on(interface), program, atr),
        ),
    ]
}

/// Finds the program that a trial needs.
type Find = fn() -> Result<PathBuf, Skip>;

/// Starts programs with the library in place and a fresh card in its reader.
fn on(interface: &str) -> impl Fn(&Path) -> Command {
    move |program| {
        let mut command = Command::new(CARDWRIGHT);
        command.args(["pcsclite", "--interface", interface, "--"]).arg(program).current_dir(HERE);
        command
    }
}

/// The library, where it is built from the sources that are there.
pub(crate) fn library() -> Result<PathBuf, Skip> {
    const BUILD: &str = "run `cargo build --example pcsclite`";
    let library = Path::new(CARDWRIGHT).with_file_name("examples/libpcsclite.so");
    let built = fs::metadata(&library).and_then(|file| file.modified());
    let built = built.map_err(|_| Skip(format!("there is no drop-in library: {BUILD}")))?;
    let changed = newest(&Path::new(HERE).join("src")).unwrap_or(built);
    if changed > built {
        return Err(Skip(format!("the drop-in library is older than the sources: {BUILD}")));
    }
    Ok(library)
}

/// When the newest file below a folder was changed.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let times = entries.filter_map(|entry| match entry.path() {
        path if path.is_dir() => newest(&path),
        path => fs::metadata(path).ok()?.modified().ok(),
    });
    times.max()
}

fn pcsc_scan(program: &Path) -> Result<(), Failed> {
    let mut command = Command::new(CARDWRIGHT);
    command.args(["pcsclite", "--reader", "sim:ecash,empty", "--"]).arg(program).args(["-n", "-c"]);
    let said = done(run(&mut command, "", PATIENCE)?)?;
    let expected = [
        "Reader 0: Cardwright 00 00",
        "Card inserted",
        "ATR: 3B 87 80 01",
        "Reader 1: Cardwright 01 00",
        "Card removed",
    ];
    let missing: Vec<&&str> = expected.iter().filter(|words| !said.contains(**words)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("expected {missing:?}, found {said}").into()) }
}

fn card_monitor(python: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(CARDWRIGHT);
    command.args(["pcsclite", "--control"]).arg(folder.path().join("hand"));
    command.arg("--").arg(python).args(["-c", CARD_MONITOR]);
    let said = done(run(&mut command, "", PATIENCE)?)?;
    let expected = "['came 1, went 0', 'came 0, went 1', 'came 1, went 0']";
    if said.trim() == expected { Ok(()) } else { Err(format!("expected {expected}, found {said}").into()) }
}

/// Runs a worked example as its first lines say; it asserts by itself.
fn example(language: &Path, name: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(CARDWRIGHT);
    command.args(["pcsclite", "--control"]).arg(folder.path().join("hand")).arg("--");
    command.arg(language).arg(Path::new(HERE).join("examples").join(name));
    done(run(&mut command, "", PATIENCE * 3)?).map(|_| ())
}

/// Our own terminal reaches readers by the crate `pcsc`; here it finds our library, and a
/// card that a file keeps: a load and a payment come to exact balances.
fn the_crate_pcsc(cardwright: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("pin"), "123456\n")?;
    let here = |arguments: &[&str]| {
        let mut command = Command::new(cardwright);
        done(run(command.args(arguments).current_dir(folder.path()), "", PATIENCE)?)
    };
    here(&["account", "open", "--balance", "500.00", "--id", "A1"])?;
    here(&["card", "new", "ecash", "my.card", "--account", "A1", "--balance", "100.00"])?;
    let on_reader = |arguments: &[&str]| -> Result<serde_json::Value, Failed> {
        let mut all = vec!["pcsclite", "--reader", "sim:my.card", "--", CARDWRIGHT];
        all.extend(arguments);
        all.extend(["--reader", "pcsc", "--store", "sqlite:cardwright.db", "--state", "state"]);
        all.extend(["--pin-file", "pin", "--json"]);
        Ok(serde_json::from_str(&here(&all)?)?)
    };
    for (arguments, expected) in [(["load", "50.00"], 15_000), (["pay", "12.50"], 13_750)] {
        let told = on_reader(&arguments)?;
        let found = told["outcome"]["balance_after"]["minor"].as_u64();
        if found != Some(expected) {
            return Err(format!("{arguments:?}: expected {expected}, found {found:?}").into());
        }
    }
    Ok(())
}

/// Every call of `winscard.py` answers as it does on pcscd with the virtual reader, but
/// for what is the driver's own matter.
fn as_pcscd_answers(python: &Path, opensc_tool: &Path, daemon: &PrivatePcscd) -> Result<(), Failed> {
    let script = Path::new(HERE).join("tests/counterpart/winscard.py");
    let lines = |said: String| -> Vec<String> {
        said.lines().filter(|line| !line.starts_with("driver: ")).map(str::to_owned).collect()
    };
    let asked = |mut command: Command| -> Result<Vec<String>, Failed> {
        let command = command.arg(&script).env("PCSCLITE_NO_BLOCKING", "1");
        Ok(lines(done(run(command, "", PATIENCE)?)?))
    };
    let ours = asked(on("contactless")(python))?;
    let mut card = daemon.command(CARDWRIGHT);
    card.args(["card", "serve", "sim:ecash", "--on", &format!("vpcd:127.0.0.1:{PORT}")]);
    card.args(["--interface", "contactless"]).stdout(std::process::Stdio::null());
    let _card = OwnChild(card.spawn()?);
    daemon.wait_for_card(opensc_tool)?;
    let theirs = asked(daemon.command(python))?;
    let pairs = || theirs.iter().zip(&ours);
    if theirs.len() < 150 || theirs.len() != ours.len() {
        return Err(
            format!("expected as many lines as pcscd's {}, found {}", theirs.len(), ours.len()).into()
        );
    }
    match pairs().find(|(theirs, ours)| theirs != ours) {
        None => Ok(()),
        Some((theirs, ours)) => Err(format!("pcscd says\n{theirs}\nour library says\n{ours}").into()),
    }
}
