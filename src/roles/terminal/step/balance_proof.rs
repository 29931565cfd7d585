//! Proof by balance (design: money). Once a card has been told to change, its status
//! word alone settles nothing: an answer may be damaged. Its balance is read (GET DATA,
//! JR/T 0025.13), and where the two contradict each other the row stays in doubt.

use crate::base::bytes::bcd_to_u64;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::Reply;
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::command::GetData;
use crate::words::iso4217::Amount;
use crate::words::iso7816::{ApduCommand, CommandApdu};

const STEP: &str = "Balance proof";

/// The question for a balance.
pub(in crate::roles::terminal) struct BalanceProof {
    ask: GetData,
}

impl BalanceProof {
    /// Of the set that the transaction moves.
    pub(in crate::roles::terminal) fn of(session: &Session) -> Self {
        Self { ask: GetData { tag: session.set.map_or(tag::EC_BALANCE, |set| set.balance) } }
    }

    /// The command.
    pub(in crate::roles::terminal) fn command(&self) -> CommandApdu {
        self.ask.to_apdu()
    }

    /// The balance told, minor units, or why none was.
    pub(in crate::roles::terminal) fn take(
        &self,
        reply: Reply,
    ) -> Result<Result<u64, String>, TerminalError> {
        let told = self.ask.answer(&reply.response(STEP)?).map_err(|error| error.to_string());
        Ok(told.and_then(|(_, value)| bcd_to_u64(&value).map_err(|error| error.to_string())))
    }
}

/// That nothing moved, as the card `said`. A card that never told its balance is
/// believed: there is nothing to hold against it.
pub(in crate::roles::terminal) fn nothing_moved(
    session: &Session,
    said: &str,
    told: &Result<u64, String>,
) -> Result<(), TerminalError> {
    match session.balance_before_minor {
        Some(before) if told.as_ref() != Ok(&before) => Err(unproven(session, said, before, told)),
        _ => Ok(()),
    }
}

/// That the balance is `total_minor` now, as the card `said`. A card that does not tell
/// its balance is believed.
pub(in crate::roles::terminal) fn moved_to(
    session: &Session,
    said: &str,
    total_minor: Option<u64>,
    told: &Result<u64, String>,
) -> Result<(), TerminalError> {
    match (total_minor, told) {
        (Some(total), Ok(balance)) if total != *balance => Err(unproven(session, said, total, told)),
        _ => Ok(()),
    }
}

fn unproven(session: &Session, said: &str, expected: u64, told: &Result<u64, String>) -> TerminalError {
    let currency = session.terms.amount.currency;
    let found = match told {
        Ok(minor) => Amount::new(*minor, currency).to_string(),
        Err(why) => format!("unknown ({why})"),
    };
    TerminalError::Unproven { said: said.into(), expected: Amount::new(expected, currency), found }
}
