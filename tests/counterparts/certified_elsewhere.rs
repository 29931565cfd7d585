//! The certification set before a terminal in another process: it finds the card through
//! the PC/SC daemon and the host by TCP, both played by the scripts.

use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};

use super::programs::done;
use crate::support::pcscd::{PORT, PrivatePcscd};
use crate::support::process::{OwnChild, SECONDS_20, run};
use crate::support::{program, require_or_skip};

const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
/// The host's port, in the daemon's network.
const HOST: &str = "127.0.0.1:9000";

pub(crate) fn trials() -> Vec<Trial> {
    let name = "counterparts::certified_elsewhere::card_and_host";
    vec![Trial::ignorable_test(name, || {
        let found = program("opensc-tool", "opensc")
            .and_then(|program| Ok((program, PrivatePcscd::start("Virtual PCD")?)));
        require_or_skip(found, |(program, daemon)| card_and_host(&daemon, &program))
    })]
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
        done(run(command.args(arguments).current_dir(folder.path()), "", SECONDS_20)?)
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
    done(run(&mut pay, "", SECONDS_20)?)?;
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
