//! What a load, an unload and a change of the overdraft limit differ in: how the card is asked
//! for each, how it is told, and what it gives for it (JR/T 0025.1; PBOC parts 1 and 2).

use super::purchase::may_have_acted;
use crate::air::link::Card;
use crate::base::context::Context;
use crate::roles::terminal::journal::EntryKind;
use crate::roles::terminal::{TerminalError, Verdict};
use crate::words::iso7816::{ApduCommand, CommandError};
use crate::words::pboc::PurseDetail;
use crate::words::pboc::command::{
    CreditForLoad, DebitForUnload, InitializeForLoad, InitializeForUnload, InitializeForUpdate,
    OnlineInitialization, UpdateOverdraftLimit,
};
use crate::words::pboc::purse::{PurseId, PurseTransactionType, limit_bytes};

/// Index of the keys of load, unload and overdraft limit.
const KEY: u8 = 1;

/// What a host changes on a purse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PurseChange {
    /// Money comes from the account.
    Load,
    /// Money goes back to the account.
    Unload,
    /// The deposit gets another overdraft limit.
    Overdraft,
}

/// What the card gave, or why it refused for sure.
pub(super) type Told<T> = Result<T, String>;
/// MAC and TAC; zeros of the one that the change has not.
pub(super) type Proof = ([u8; 4], [u8; 4]);

impl PurseChange {
    /// The journal's row of it.
    pub(super) const fn entry_kind(self) -> EntryKind {
        match self {
            Self::Load => EntryKind::PurseLoad,
            Self::Unload => EntryKind::PurseUnload,
            Self::Overdraft => EntryKind::PurseOverdraft,
        }
    }

    /// Begins it at the card: what the card told, and its MAC1. Date and time are the host's, and
    /// not known yet.
    pub(super) fn begin(
        self,
        purse: PurseId,
        amount: u32,
        terminal: [u8; 6],
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Result<Told<(PurseDetail, [u8; 4])>, TerminalError> {
        let detail = |kind: PurseTransactionType, told: OnlineInitialization| PurseDetail {
            kind: kind.0,
            terminal,
            terminal_sequence: 0,
            date: [0; 4],
            time: [0; 3],
            old_balance_minor: told.old_balance_minor,
            sequence: told.online_sequence,
            random: told.random,
            key_version: told.key_version,
            algorithm: told.algorithm,
            overdraft_limit: [0; 3],
        };
        let begun = match self {
            Self::Load => {
                let ask = InitializeForLoad { purse: purse.0, key: KEY, amount, terminal };
                let told = ask.answer(&card.transmit(&ask.to_apdu(), context)?);
                told.map(|told| (detail(purse.load(), told), told.mac1))
            }
            Self::Unload => {
                let ask = InitializeForUnload { purse: purse.0, key: KEY, amount, terminal };
                let told = ask.answer(&card.transmit(&ask.to_apdu(), context)?);
                told.map(|told| (detail(PurseTransactionType::UNLOAD, told), told.mac1))
            }
            Self::Overdraft if purse != PurseId::DEPOSIT || limit_bytes(amount).is_none() => {
                return Ok(Err("the deposit alone has an overdraft limit, at most 167772.15".into()));
            }
            Self::Overdraft => {
                let ask = InitializeForUpdate { key: KEY, terminal };
                let told = ask.answer(&card.transmit(&ask.to_apdu(), context)?);
                told.map(|told| {
                    let online = OnlineInitialization {
                        old_balance_minor: told.old_balance_minor,
                        online_sequence: told.online_sequence,
                        key_version: told.key_version,
                        algorithm: told.algorithm,
                        random: told.random,
                        mac1: told.mac1,
                    };
                    let detail = detail(PurseTransactionType::OVERDRAFT, online);
                    (PurseDetail { overdraft_limit: told.old_limit, ..detail }, told.mac1)
                })
            }
        };
        match begun {
            Ok(begun) => Ok(Ok(begun)),
            Err(CommandError::Refused { status, .. }) => Ok(Err(format!("the card answered {status}"))),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells the card; what it gives for the change, or why it refused for sure.
    pub(super) fn complete(
        self,
        granted: &PurseDetail,
        amount: u32,
        mac2: [u8; 4],
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Result<Told<Proof>, TerminalError> {
        let PurseDetail { date, time, .. } = *granted;
        let answered = match self {
            Self::Load => {
                let command = CreditForLoad { date, time, mac2 };
                let answer = card.transmit(&command.to_apdu(), context)?;
                command.answer(&answer).map(|proof| ([0; 4], proof.tac))
            }
            Self::Unload => {
                let command = DebitForUnload { date, time, mac2 };
                let answer = card.transmit(&command.to_apdu(), context)?;
                command.answer(&answer).map(|proof| (proof.mac3, [0; 4]))
            }
            Self::Overdraft => {
                // What has no three bytes was never begun.
                let limit = limit_bytes(amount).unwrap_or_default();
                let command = UpdateOverdraftLimit { limit, date, time, mac2 };
                let answer = card.transmit(&command.to_apdu(), context)?;
                command.answer(&answer).map(|proof| ([0; 4], proof.tac))
            }
        };
        match answered {
            Ok(proof) => Ok(Ok(proof)),
            Err(CommandError::Refused { status, .. }) if !may_have_acted(status) => {
                Ok(Err(format!("the card answered {status} to the host's MAC2")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The balance that the card tells afterwards, minor units; `None` of a limit, since cards
    /// differ in whether their balance includes it.
    pub(super) const fn balance_after(self, before_minor: u32, amount: u32) -> Option<u32> {
        match self {
            Self::Load => Some(before_minor.saturating_add(amount)),
            Self::Unload => Some(before_minor.saturating_sub(amount)),
            Self::Overdraft => None,
        }
    }

    /// How it ends once the card has changed, by whether the host knows.
    pub(super) const fn done(self, is_noted: bool) -> (Verdict, &'static str) {
        const NOTED: &str = "the card took MAC2, and the host its TAC";
        const UNNOTED: &str = "the card took MAC2; the host has not its TAC yet";
        match (self, is_noted) {
            (Self::Load, true) => (Verdict::Loaded, NOTED),
            (Self::Load, false) => (Verdict::LoadedUnconfirmed, UNNOTED),
            (Self::Unload, true) => (Verdict::Unloaded, "the card took MAC2, and the host its MAC3"),
            (Self::Unload, false) => {
                (Verdict::UnloadedUnconfirmed, "the card took MAC2; the host has not its MAC3 yet")
            }
            (Self::Overdraft, true) => (Verdict::LimitChanged, NOTED),
            (Self::Overdraft, false) => (Verdict::LimitChangedUnconfirmed, UNNOTED),
        }
    }
}
