//! `cardwright crypto`: a calculator for test keys, one file per command. What it
//! computes is in `base::crypto` and `words::emv`; keys and texts come in here.

mod arpc;
mod arqc;
mod cipher;
mod cvv;
mod hash;
mod identify;
mod kcv;
mod mac;
mod pin_block;
mod recover;
mod script_mac;
mod session_key;
/// What several of them need.
mod shared {
    pub(super) mod card_key;
    pub(super) mod elements;
    pub(super) mod exchange;
    pub(super) mod given;
    pub(super) mod steps;
}
mod udk;

use super::shared::command::{Command, Run};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "crypto",
    about: "Calculates for test keys: cryptograms, card and session keys, MACs, PIN blocks, certificates",
    effect: None,
    arguments: shared::steps::group,
    run: Run::OneOf(&[
        arqc::COMMAND,
        arpc::COMMAND,
        udk::COMMAND,
        session_key::COMMAND,
        script_mac::COMMAND,
        mac::COMMAND,
        cipher::COMMAND,
        kcv::COMMAND,
        hash::COMMAND,
        pin_block::COMMAND,
        cvv::COMMAND,
        recover::COMMAND,
        identify::COMMAND,
    ]),
};
