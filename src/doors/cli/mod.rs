//! The command line: one file per command and a row for each. Arguments and the
//! environment come in here, text and exit codes go out; the rest is asked of `world`.

mod account;
mod agent;
mod ca;
mod card;
mod certify;
mod crypto;
mod decode;
mod demo;
#[cfg(target_os = "linux")]
mod doctor;
mod gate;
mod host;
mod inquire;
mod load;
mod lua;
mod p2p;
mod pay;
mod pcsclite;
#[cfg(all(unix, feature = "serial"))]
mod pn532;
mod preauth;
mod read;
mod readers;
mod reconcile;
mod recover;
mod refund;
mod send;
mod settle;
mod shell;
/// What several commands need.
mod shared {
    pub(super) mod attendant;
    pub(super) mod books;
    pub(super) mod cards;
    pub(super) mod command;
    pub(super) mod exchanges;
    pub(super) mod failure;
    pub(super) mod folder;
    pub(super) mod hint;
    pub(super) mod holder;
    pub(super) mod jobs;
    pub(super) mod journal;
    pub(super) mod lua;
    pub(super) mod output;
    pub(super) mod pan;
    pub(super) mod person;
    pub(super) mod progress;
    pub(super) mod purse;
    pub(super) mod readers;
    pub(super) mod recording;
    pub(super) mod run;
    pub(super) mod scene;
    pub(super) mod served;
    pub(super) mod settling;
    pub(super) mod switches;
    pub(super) mod threads;
    pub(super) mod tokens;
    pub(super) mod transaction;
}
mod terminal;
mod test;
mod trace;
mod unload;
mod upload;
mod void;
mod wallet;
mod watch;
mod world;

use shared::command::Command;
pub use shared::run::{line, run};

/// Every command, in the order of the help text.
const COMMANDS: &[Command] = &[
    read::COMMAND,
    load::COMMAND,
    unload::COMMAND,
    pay::COMMAND,
    void::COMMAND,
    refund::COMMAND,
    preauth::COMMAND,
    inquire::COMMAND,
    upload::COMMAND,
    settle::COMMAND,
    recover::COMMAND,
    send::COMMAND,
    watch::COMMAND,
    shell::COMMAND,
    test::COMMAND,
    certify::COMMAND,
    agent::COMMAND,
    account::COMMAND,
    reconcile::COMMAND,
    card::COMMAND,
    wallet::COMMAND,
    p2p::COMMAND,
    gate::COMMAND,
    ca::COMMAND,
    terminal::COMMAND,
    host::COMMAND,
    readers::COMMAND,
    #[cfg(target_os = "linux")]
    doctor::COMMAND,
    pcsclite::COMMAND,
    #[cfg(all(unix, feature = "serial"))]
    pn532::COMMAND,
    world::COMMAND,
    trace::COMMAND,
    decode::COMMAND,
    crypto::COMMAND,
    demo::COMMAND,
    lua::COMMAND,
];
