//! GET BALANCE, INITIALIZE FOR LOAD, CREDIT FOR LOAD (JR/T 0025.1; PBOC part 1).

use super::file;
use super::session::OpenTransaction;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::card::purse::memory::Wallet;
use crate::roles::card::simulator::{Answer, Refusal, Work};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::command::{
    Balance, CreditForLoad, GetBalance, InitializeForLoad, OnlineInitialization, TransactionCertificate,
};
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::{
    PurseId, PurseSessionKey, PurseTerms, PurseTransactionType, online_session_key, tac_key,
};
use crate::words::pboc::{LogForm, PurseKeyKind, PurseRecord, equal};

/// Tells the balance of a purse, or a part of it where the card tells parts.
pub(super) fn balance(work: &mut Work<'_>, command: &GetBalance) -> Answer {
    let tells_parts = work.purse_profile()?.balance_parts;
    let wallet = work.wallet(command.purse)?;
    let minor = |own: i64| u32::try_from(own).unwrap_or(0);
    let balance_minor = match command.part {
        0 => work.shown_minor(wallet)?,
        1 if tells_parts => wallet.overdraft_minor,
        2 if tells_parts => minor(-wallet.own_minor),
        3 if tells_parts => minor(wallet.own_minor),
        _ => {
            let reason = "the card tells its whole balance alone (P1 00)";
            return Err(Refusal::because(StatusWord::WRONG_P1P2, reason));
        }
    };
    Ok(ResponseApdu::ok(GetBalance::encode_response(&Balance { balance_minor })))
}

/// Begins a load.
pub(super) fn initialize(work: &mut Work<'_>, command: &InitializeForLoad, context: &mut Context) -> Answer {
    let profile = work.purse_profile()?;
    let (limit, needs_pin, index) = (profile.balance_limit_minor, profile.load_needs_pin, profile.load_key);
    work.admit_key(command.key, index)?;
    if needs_pin {
        work.admit_pin()?;
    }
    let wallet = work.wallet(command.purse)?;
    work.admit_counter(wallet.online_sequence)?;
    if wallet.own_minor + i64::from(command.amount) > i64::from(limit) {
        return Err(Refusal::state("the purse may not hold that much"));
    }
    let kind = PurseId(command.purse).load();
    begin_online(work, kind, PurseKeyKind::Load, command.purse, command.amount, command.terminal, context)
}

/// Begins what its host decides: a load or an unload.
pub(super) fn begin_online(
    work: &mut Work<'_>,
    kind: PurseTransactionType,
    key: PurseKeyKind,
    purse: u8,
    amount_minor: u32,
    terminal: [u8; 6],
    context: &mut Context,
) -> Answer {
    let wallet = work.wallet(purse)?;
    let (sequence, shown) = (wallet.online_sequence, work.shown_minor(wallet)?);
    let random = context.random();
    let open = OpenTransaction { kind, purse, amount_minor, terminal, sequence, random, cache: Vec::new() };
    let session_key = open_key(work, key, &open)?;
    // MAC1 covers neither date nor time.
    let mac1 = open.terms([0; 4], [0; 3]).load_mac1(&session_key, shown);
    work.session.purse.open = Some(open);
    Ok(ResponseApdu::ok(
        OnlineInitialization {
            old_balance_minor: shown,
            online_sequence: sequence,
            key_version: work.purse_profile()?.key_version,
            algorithm: 0,
            random,
            mac1,
        }
        .to_bytes(),
    ))
}

/// Completes a load: money, counter, log and proof land together.
pub(super) fn credit(work: &mut Work<'_>, command: &CreditForLoad, context: &mut Context) -> Answer {
    let (open, terms) = take_open(work, PurseTransactionType::is_load, command.date, command.time)?;
    let session_key = open_key(work, PurseKeyKind::Load, &open)?;
    if !equal(&terms.load_mac2(&session_key), &command.mac2) {
        return Err(Refusal::because(StatusWord::MAC_WRONG, "MAC2 is not the host's for this load"));
    }
    let mut wallet = work.wallet(open.purse)?.clone();
    wallet.own_minor += i64::from(open.amount_minor);
    wallet.online_sequence += 1;
    let shown = work.shown_minor(&wallet)?;
    let tac = terms.load_tac(&work.tac_key()?, shown, open.sequence);
    wallet.keep_proof(open.kind, wallet.online_sequence, [0; 4], tac);
    let sequence = wallet.online_sequence;
    finish(work, wallet, &terms, sequence, true)?;
    context.emit(Event::new("card", "purse loaded").because("MAC2 is the host's: the money is on the card"));
    Ok(ResponseApdu::ok(CreditForLoad::encode_response(&TransactionCertificate { tac })))
}

/// What was initialised, if it is of the kind that is completed.
pub(super) fn take_open(
    work: &mut Work<'_>,
    fits: impl FnOnce(PurseTransactionType) -> bool,
    date: [u8; 4],
    time: [u8; 3],
) -> Result<(OpenTransaction, PurseTerms), Refusal> {
    let open = work.session.purse.open.take().filter(|open| fits(open.kind));
    let open = open.ok_or_else(|| Refusal::state("nothing was initialised that this command completes"))?;
    let terms = open.terms(date, time);
    Ok((open, terms))
}

/// The session key of what was initialised.
pub(super) fn open_key(
    work: &Work<'_>,
    key: PurseKeyKind,
    open: &OpenTransaction,
) -> Result<PurseSessionKey, Refusal> {
    Ok(online_session_key(&work.purse()?.keys.of(key), open.random, open.sequence))
}

/// Writes a transaction: the purse as it is now, and its record in the log.
pub(super) fn finish(
    work: &mut Work<'_>,
    wallet: Wallet,
    terms: &PurseTerms,
    sequence: u16,
    logs: bool,
) -> Result<(), Refusal> {
    let (id, limit) = (wallet.id, wallet.overdraft_limit());
    *work.purse_mut()?.wallet_mut(id).ok_or_else(Refusal::lost)? = wallet;
    if logs {
        let (date, time) = match work.purse_profile()?.log_form {
            LogForm::Standard => (terms.date, terms.time),
            LogForm::ShortTime => {
                let [.., high, low] = terms.amount_minor.to_be_bytes();
                let ([.., month, day], [hour, minute, _]) = (terms.date, terms.time);
                ([high, low, month, day], [hour, minute, 0])
            }
        };
        let record = PurseRecord {
            sequence,
            overdraft_limit: limit,
            amount_minor: terms.amount_minor,
            kind: terms.kind.0,
            terminal: terms.terminal,
            date,
            time,
        };
        file::log(work, record.to_bytes())?;
    }
    Ok(())
}

impl Work<'_> {
    /// A purse of the selected application.
    pub(super) fn wallet(&self, id: u8) -> Result<&Wallet, Refusal> {
        self.purse()?
            .wallet(id)
            .ok_or_else(|| Refusal::because(StatusWord::NOT_SUPPORTED, "the card has no such purse"))
    }

    /// The balance that a purse tells.
    pub(super) fn shown_minor(&self, wallet: &Wallet) -> Result<u32, Refusal> {
        Ok(wallet.shown_minor(self.purse_profile()?.balance_includes_overdraft))
    }

    /// The key of TACs.
    pub(super) fn tac_key(&self) -> Result<PurseSessionKey, Refusal> {
        Ok(tac_key(&self.purse()?.keys.of(PurseKeyKind::Tac)))
    }

    /// Refuses without the PIN.
    pub(super) fn admit_pin(&self) -> Result<(), Refusal> {
        match self.session.purse.pin_verified {
            true => Ok(()),
            false => Err(Refusal::because(StatusWord::SECURITY_NOT_SATISFIED, "the PIN was not presented")),
        }
    }

    /// Refuses another key than the card has.
    pub(super) fn admit_key(&self, found: u8, expected: u8) -> Result<(), Refusal> {
        match found == expected {
            true => Ok(()),
            false => {
                let reason = format!("the card has key {expected:02X} for that, not {found:02X}");
                Err(Refusal::because(StatusWord::KEY_INDEX_NOT_SUPPORTED, reason))
            }
        }
    }

    /// Refuses where the counter cannot step.
    pub(super) fn admit_counter(&self, sequence: u16) -> Result<(), Refusal> {
        match sequence {
            u16::MAX => {
                Err(Refusal::because(StatusWord::COUNTER_AT_MAXIMUM, "the counter is at its maximum"))
            }
            _ => Ok(()),
        }
    }
}
