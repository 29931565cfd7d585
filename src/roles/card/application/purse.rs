//! Electronic deposit and electronic purse: PBOC part 1 and JR/T 0025.1. All of its commands are
//! its own; none of debit and credit applies.

use crate::roles::card::behaviour::{Application, CommandSet};
use crate::roles::card::purse;
use crate::roles::card::session::Path;
use crate::roles::card::simulator::{Refusal, Work};
use crate::words::tlv::{Tag, TlvStore};

/// A purse.
pub(super) struct Purse;

impl Application for Purse {
    fn kind(&self) -> &'static str {
        "purse"
    }

    fn own_commands(&self) -> Option<CommandSet> {
        Some(purse::purse)
    }

    fn path(&self, _work: &Work<'_>, _data: &TlvStore) -> Result<(Path, &'static str), Refusal> {
        Err(Refusal::state("a purse has no processing options"))
    }

    fn may_put(&self, _tag: Tag) -> bool {
        false
    }
}
