//! The security module of a terminal (PSAM): PBOC part 2. All of its commands are its own; it is
//! the card in the terminal, not in a hand.

use crate::roles::card::behaviour::{Application, CommandSet};
use crate::roles::card::purse;
use crate::roles::card::session::Path;
use crate::roles::card::simulator::{Refusal, Work};
use crate::words::tlv::{Tag, TlvStore};

/// A security module.
pub(super) struct Psam;

impl Application for Psam {
    fn kind(&self) -> &'static str {
        "psam"
    }

    fn own_commands(&self) -> Option<CommandSet> {
        Some(purse::psam)
    }

    fn path(&self, _work: &Work<'_>, _data: &TlvStore) -> Result<(Path, &'static str), Refusal> {
        Err(Refusal::state("a security module has no processing options"))
    }

    fn may_put(&self, _tag: Tag) -> bool {
        false
    }
}
