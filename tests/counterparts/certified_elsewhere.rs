//! The certification set before a terminal in another process: it finds the card through
//! the PC/SC daemon and the host by TCP, both played by the scripts.

use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};

use super::programs::done;
use crate::support::pcscd::{PORT, PrivatePcscd};
use crate::support::process::{OwnChild, PATIENCE, run};
use crate::support::{program, require_or_skip};

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
/// The host's port, in the daemon's network.
const HOST: &str = "127.0.0.1:9000";

/// A script that plays both: the card asks, and its host refuses.
const REFUSED: &str = "\
role card and host
case A load that is refused
on message load
  expect 9F27 = 80
  expect field 4 = 5.00
  answer \"51\"
end
on second GENERATE AC
  expect 8A = \"51\"
end
terminal load 5.00 within 60
expect sent GENERATE AC arqc
expect sent GENERATE AC aac
expect sent anywhere message load
expect field 39 = \"51\"
";

type Played = fn(&PrivatePcscd, &Path) -> Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, played: Played| {
        Trial::ignorable_test(format!("counterparts::certified_elsewhere::{name}"), move || {
            let found = program("opensc-tool", "opensc")
                .and_then(|program| Ok((program, PrivatePcscd::start("Virtual PCD")?)));
            require_or_skip(found, |(program, daemon)| played(&daemon, &program))
        })
    };
    vec![trial("card_and_host", card_and_host), trial("a_script_plays_both", a_script_plays_both)]
}

/// Our terminal, elsewhere, loads: it asks the script's host about the script's card.
fn a_script_plays_both(daemon: &PrivatePcscd, opensc_tool: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (script, pin, state, report) = (path("both.apdu"), path("pin"), path("state"), path("report"));
    let store = format!("sqlite:{}", path("cardwright.db"));
    std::fs::write(&script, REFUSED)?;
    std::fs::write(&pin, "123456\n")?;
    let mut add = Command::new(CARDWRIGHT);
    add.args([
        "host",
        "terminal",
        "add",
        "TERM0001",
        "MERCHANT0000001",
        "--store",
        &store,
        "--state",
        &state,
    ]);
    done(run(&mut add, "", PATIENCE)?)?;
    let mut playing = daemon.command(CARDWRIGHT);
    playing.args(["test", &script, "--unattended", "--report", &format!("tap={report}")]);
    playing.args(["--on", &format!("vpcd:127.0.0.1:{PORT}"), "--listen", HOST, "--store", &store]);
    let mut playing = OwnChild(playing.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
    daemon.wait_for_card(opensc_tool)?;
    let mut load = daemon.command(CARDWRIGHT);
    load.args(["load", "5.00", "--reader", "pcsc", "--host", &format!("tcp:{HOST}")]);
    let loaded = run(load.args(["--state", &state, "--pin-file", &pin]), "", PATIENCE)?;
    if !loaded.stdout.contains("51 (insufficient funds)") {
        return Err(format!("expected a load that is refused, found {loaded:?}").into());
    }
    let ended = playing.0.wait()?;
    let told = std::fs::read_to_string(&report)?;
    match ended.success() && told.contains("ok 1 - ") && !told.contains("SKIP") {
        true => Ok(()),
        false => Err(format!("expected a case that passes, found {told}").into()),
    }
}

/// Our terminal pays by contact as T.EC.02 wants it, and asks nobody; its evidence is whole.
fn card_and_host(daemon: &PrivatePcscd, opensc_tool: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    // In the daemon's namespaces the working folder is another one.
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (ics, session, state) = (path("ics.toml"), path("evidence"), path("state"));
    let store = format!("sqlite:{}", path("cardwright.db"));
    let here = |arguments: &[&str]| {
        let mut command = Command::new(CARDWRIGHT);
        done(run(command.args(arguments).current_dir(folder.path()), "", PATIENCE)?)
    };
    here(&["certify", "init", "terminal"])?;
    here(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001", "--store", &store, "--state", &state])?;
    let mut playing = daemon.command(CARDWRIGHT);
    playing.args(["certify", "run", "T.EC.02", "--ics", &ics, "--session", &session, "--unattended"]);
    playing.args(["--on", &format!("vpcd:127.0.0.1:{PORT}"), "--listen", HOST, "--store", &store]);
    let mut playing = OwnChild(playing.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
    daemon.wait_for_card(opensc_tool)?;
    let mut pay = daemon.command(CARDWRIGHT);
    pay.args(["pay", "12.50", "--reader", "pcsc", "--host", &format!("tcp:{HOST}"), "--state", &state]);
    done(run(&mut pay, "", PATIENCE)?)?;
    if !playing.0.wait()?.success() {
        return Err("expected every mandatory case to pass".into());
    }
    let told = here(&["certify", "verify", "--session", &session, "--json"])?;
    let told: serde_json::Value = serde_json::from_str(&told)?;
    let result = &told["session"]["results"][0];
    if result["id"] != "T.EC.02" || result["verdict"] != "passed" {
        return Err(format!("expected T.EC.02 to have passed, found {result}").into());
    }
    Ok(())
}
