//! `cardwright trace`: what can be done with a recording.

mod diff;
mod explain;
mod html;
mod import;
mod pcap;
mod show;
mod timing;
mod to_profile;
/// What several of its commands need.
mod shared {
    pub(super) mod file;
}

use super::shared::command::{Command, Run, no_arguments};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "trace",
    about: "Tells what is in a recording, as --save makes one",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[
        show::COMMAND,
        explain::COMMAND,
        html::COMMAND,
        diff::COMMAND,
        timing::COMMAND,
        pcap::COMMAND,
        to_profile::COMMAND,
        import::COMMAND,
    ]),
};
