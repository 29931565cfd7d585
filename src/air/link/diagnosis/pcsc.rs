//! The PC/SC library, its daemon, and the readers that it sees.

use super::machine::Leave;
use super::{Daemon, Finding, Surroundings};
use crate::air::link::{KnownReader, LinkError};
use crate::base::bytes::Hex;

/// Where pcscd listens.
const SOCKET: &str = "/run/pcscd/pcscd.comm";
/// Where it is installed.
const PROGRAM: &str = "/usr/sbin/pcscd";
const NAME: &str = "pcscd";
/// Where drivers of USB readers are.
const DRIVERS: &str = "/usr/lib/pcsc/drivers";

/// Whether the library is there.
pub(super) fn library(around: &Surroundings) -> Vec<Finding> {
    vec![match &around.library {
        Ok(()) => Finding::fine("library", "the PC/SC library is there"),
        Err(why) => Finding::trouble("library-absent", why, "on Debian: apt install libpcsclite1"),
    }]
}

/// Whether the daemon is there, and answers.
pub(super) fn daemon(around: &Surroundings) -> Vec<Finding> {
    let machine = &around.machine;
    let running: Vec<_> = machine.processes().into_iter().filter(|process| process.name == NAME).collect();
    let mut found = Vec::new();
    if let [first, second, ..] = running.as_slice() {
        found.push(Finding::trouble(
            "daemon-twice",
            format!("two PC/SC daemons run, {first} and {second}: each keeps readers from the other"),
            "end both, then: systemctl restart pcscd.socket",
        ));
    }
    if let Some(process) =
        running.iter().find(|process| process.words.iter().any(|word| word == "--auto-exit" || word == "-x"))
    {
        found.push(Finding::note(
            "daemon-ends",
            format!(
                "{process} ends itself when nobody uses it, and takes a virtual reader's card away with it"
            ),
            "for cards served on vpcd start it by hand: pcscd --foreground",
        ));
    }
    found.push(match &around.daemon {
        Daemon::Readers(readers) => {
            Finding::fine("daemon", format!("the PC/SC daemon answers and sees {} readers", readers.len()))
        }
        Daemon::Silent => Finding::trouble(
            "daemon-silent",
            "the PC/SC daemon has taken the question and does not answer",
            "systemctl restart pcscd; a reader whose plug was pulled in an exchange may have stopped it",
        ),
        Daemon::Failed(_) if around.library.is_err() => return found,
        Daemon::Failed(error) => failed(around, error, running.is_empty()),
    });
    found
}

/// Why the daemon does not answer.
fn failed(around: &Surroundings, error: &LinkError, is_gone: bool) -> Finding {
    let machine = &around.machine;
    match machine.leave(SOCKET) {
        None if !machine.has(PROGRAM) && is_gone => Finding::trouble(
            "daemon-absent",
            format!("no PC/SC daemon is installed at {PROGRAM}"),
            "on Debian: apt install pcscd",
        ),
        None => Finding::trouble(
            "daemon-stopped",
            format!("the PC/SC daemon does not listen at {SOCKET}"),
            "systemctl enable --now pcscd.socket; where there is no systemd, as root: pcscd",
        ),
        Some(Leave::Refused | Leave::OfGroup(_)) => Finding::trouble(
            "daemon-forbidden",
            format!("this user may not write to {SOCKET}"),
            "ask for its group, or run in a session at the machine itself",
        ),
        Some(Leave::Given) => match error {
            LinkError::Unavailable { missing, remedy } if !missing.contains("does not answer") => {
                Finding::trouble("daemon-refuses", missing, remedy)
            }
            _ if is_gone => Finding::trouble(
                "daemon-stale",
                format!("{SOCKET} is there and nobody listens: its daemon has ended"),
                "systemctl restart pcscd.socket; where there is no systemd, as root: pcscd",
            ),
            error => Finding::trouble("daemon-fails", error.to_string(), "systemctl restart pcscd"),
        },
    }
}

/// The readers, what is in each, and what is known of it.
pub(super) fn readers(around: &Surroundings) -> Vec<Finding> {
    let known = KnownReader::all();
    let mut found = Vec::new();
    for status in around.readers() {
        found.push(match &status.card {
            Some(atr) => Finding::fine("reader", format!("{} holds a card, ATR {:#}", status.name, Hex(atr))),
            None => Finding::note(
                "reader-empty",
                format!("{} is empty", status.name),
                "insert or present a card; one by contact with the chip first; `cardwright watch` shows it coming",
            ),
        });
        for quirk in
            known.iter().filter(|reader| reader.is_named(&status.name)).flat_map(|reader| &reader.quirks)
        {
            found.push(Finding::note(
                "reader-quirk",
                format!("{}: {}", status.name, quirk.what),
                &quirk.instead,
            ));
        }
    }
    if matches!(&around.daemon, Daemon::Readers(readers) if readers.is_empty()) {
        found.push(match around.machine.has(DRIVERS) {
            true => Finding::note("reader-none", "the daemon sees no reader", "plug one in, or see below"),
            false => Finding::trouble(
                "reader-drivers-absent",
                format!("the daemon has no drivers of readers: there is no {DRIVERS}"),
                "on Debian: apt install libccid, then systemctl restart pcscd",
            ),
        });
    }
    found
}
