//! Cards on file: what the issuer knows of a card that it ordered. The PAN and
//! the reference PIN are sealed; a card is found by a keyed hash of its PAN.

use super::usage;
use super::work::Work;
use super::{AccountClass, IssuerError};
use crate::base::store::{Row, Sealed, Value};
use crate::words::emv::Pan;
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::iso4217::Currency;
use crate::words::pboc::purse::PurseId;
use crate::words::tlv::Tag;

/// What the columns are sealed for.
pub(super) const PAN: &str = "card.pan";
pub(super) const PIN: &str = "card.pin";

/// A card as a decision sees it.
#[derive(Debug, Clone)]
pub(super) struct CardOnFile {
    pub(super) id: String,
    pub(super) version: &'static CryptogramVersion,
    pub(super) dki: u8,
    /// YYYYMMDD.
    pub(super) expiry: i64,
    pub(super) pin: Option<Sealed>,
    pub(super) pin_tries: i64,
    pub(super) active: bool,
    /// The highest counter seen, before the message at hand.
    pub(super) last_atc: i64,
}

/// A card whose row is locked, and what the message has changed of it so far.
#[derive(Debug)]
pub(super) struct HeldCard {
    card: CardOnFile,
    psn: u8,
    last_atc: i64,
    open_loads: i64,
    /// Claims that nothing has proven yet.
    open_claims: i64,
    /// Scripts of which it is not known what became of them.
    waiting_scripts: i64,
    is_changed: bool,
}

/// One currency of a card as a decision sees it.
#[derive(Debug, Clone)]
pub(super) struct Linked {
    pub(super) account: Option<String>,
    /// The class of that account.
    pub(super) class: AccountClass,
    pub(super) ecash: Option<(Tag, u64)>,
    /// The shadow in the ledger, minor units; 0 where the card has none.
    pub(super) shadow_minor: i64,
}

impl Work<'_> {
    /// Blocks a card or lifts the block; `false` where there is no such card.
    pub(super) fn set_card_active(&mut self, pan: &Pan, psn: u8, active: bool) -> Result<bool, IssuerError> {
        let status = if active { "active" } else { "blocked" };
        let lookup = self.pan_lookup(pan.expose());
        let changed = self.tx.execute(
            "UPDATE card SET status = $1 WHERE pan_lookup = $2 AND psn = $3 AND status IN ('active', 'blocked')",
            &[status.into(), Value::Bytes(lookup), i64::from(psn).into()],
        )?;
        if changed == 1 {
            let name = if active { "Card Unblocked" } else { "Card Blocked" };
            self.say(name, "told by the issuer's own people");
        }
        Ok(changed == 1)
    }

    /// Keeps every other message of a card waiting until this one is done: what is read
    /// of it from here on is decided on and written by nobody else.
    pub(super) fn hold_card(&mut self, pan: &str, psn: u8) -> Result<(), IssuerError> {
        let lookup = self.pan_lookup(pan);
        let rows = self.tx.query_locked(
            "SELECT id, cryptogram_version, dki, expiry, pin, pin_tries, status, last_atc, open_loads, \
             open_claims, waiting_scripts FROM card WHERE pan_lookup = $1 AND psn = $2",
            &[Value::Bytes(lookup), i64::from(psn).into()],
        )?;
        let held = |row: &Row| {
            let card = card_on_file(row)?;
            Ok::<_, IssuerError>(HeldCard {
                card,
                psn,
                last_atc: row.int(7)?,
                open_loads: row.int(8)?,
                open_claims: row.int(9)?,
                waiting_scripts: row.int(10)?,
                is_changed: false,
            })
        };
        self.held = rows.first().map(held).transpose()?;
        Ok(())
    }

    /// The card that is held, as it stood then; `None` where none is on file.
    pub(super) fn held_card(&self) -> Option<CardOnFile> {
        self.held.as_ref().map(|held| held.card.clone())
    }

    /// Whether the card that is held is a purse.
    pub(super) fn holds_purse(&self) -> bool {
        self.held.as_ref().is_some_and(|held| PurseId::of_sequence_number(held.psn).is_some())
    }

    /// Writes what has changed of the card that is held.
    pub(super) fn store_held_card(&mut self) -> Result<(), IssuerError> {
        let Some(held) = self.held.as_mut().filter(|held| held.is_changed) else { return Ok(()) };
        held.is_changed = false;
        self.tx.execute(
            "UPDATE card SET last_atc = $1, open_loads = $2, open_claims = $3, waiting_scripts = $4 \
             WHERE id = $5",
            &[
                held.last_atc.into(),
                held.open_loads.into(),
                held.open_claims.into(),
                held.waiting_scripts.into(),
                held.card.id.as_str().into(),
            ],
        )?;
        Ok(())
    }

    /// Whether the card that is held has loads that are neither landed nor returned.
    pub(super) fn has_open_loads(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.open_loads > 0)
    }

    /// Whether the card that is held has claims that nothing has proven yet.
    pub(super) fn has_open_claims(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.open_claims > 0)
    }

    /// Whether the card that is held has scripts that wait for it.
    pub(super) fn has_waiting_scripts(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.waiting_scripts > 0)
    }

    /// Counts scripts that were ordered, or done with where `by` is negative, of the card
    /// that is held.
    pub(super) fn count_waiting_scripts(&mut self, by: i64) {
        if let Some(held) = self.held.as_mut() {
            held.waiting_scripts += by;
            held.is_changed = true;
        }
    }

    /// Keeps another PIN on file for the card, for when it is entered online.
    pub(super) fn keep_pin(&mut self, card: &str, pin: &[u8]) -> Result<(), IssuerError> {
        let sealed = Sealed::seal(self.seal, PIN, pin, self.context);
        self.tx.execute(
            "UPDATE card SET pin = $1 WHERE id = $2 AND pin IS NOT NULL",
            &[Value::Bytes(sealed.0), card.into()],
        )?;
        Ok(())
    }

    /// Counts claims that were opened, or settled where `by` is negative, of the card that
    /// is held: only its own messages open and settle them.
    pub(super) fn count_open_claims(&mut self, by: i64) {
        if let Some(held) = self.held.as_mut() {
            held.open_claims += by;
            held.is_changed = true;
        }
    }

    /// Counts loads that were opened, or settled where `by` is negative, on their card.
    pub(super) fn count_open_loads(&mut self, card: &str, by: i64) -> Result<(), IssuerError> {
        match self.held.as_mut().filter(|held| held.card.id == card) {
            Some(held) => {
                held.open_loads += by;
                held.is_changed = true;
            }
            None => {
                self.tx.execute(
                    "UPDATE card SET open_loads = open_loads + $1 WHERE id = $2",
                    &[by.into(), card.into()],
                )?;
            }
        }
        Ok(())
    }

    /// The card with this PAN and sequence number.
    pub(super) fn find_card(&mut self, pan: &str, psn: u8) -> Result<Option<CardOnFile>, IssuerError> {
        let lookup = self.pan_lookup(pan);
        let rows = self.tx.query(
            "SELECT id, cryptogram_version, dki, expiry, pin, pin_tries, status, last_atc FROM card \
             WHERE pan_lookup = $1 AND psn = $2",
            &[Value::Bytes(lookup), i64::from(psn).into()],
        )?;
        rows.first().map(card_on_file).transpose()
    }

    /// The card that a payer's PAN names: the one in use, of several the last issued.
    pub(super) fn find_payer(&mut self, pan: &str) -> Result<Option<CardOnFile>, IssuerError> {
        let lookup = self.pan_lookup(pan);
        let rows = self.tx.query(
            "SELECT psn FROM card WHERE pan_lookup = $1 \
             ORDER BY CASE status WHEN 'active' THEN 0 ELSE 1 END, psn DESC LIMIT 1",
            &[Value::Bytes(lookup)],
        )?;
        match rows.first() {
            Some(row) => self.find_card(pan, row.int(0)? as u8),
            None => Ok(None),
        }
    }

    /// A card's currency.
    pub(super) fn find_linked(
        &mut self,
        card: &str,
        currency: Currency,
    ) -> Result<Option<Linked>, IssuerError> {
        let rows = self.tx.query(
            "SELECT card_account.account, balance_tag, balance_limit, balance.minor, \
             COALESCE(account.class, 'I') FROM card_account \
             LEFT JOIN account ON account.id = card_account.account \
             LEFT JOIN balance ON balance.kind = 'card' AND balance.holder = card_account.card \
             AND balance.currency = card_account.currency \
             WHERE card_account.card = $1 AND card_account.currency = $2",
            &[card.into(), i64::from(currency.0).into()],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        let account = if row.is_null(0) { None } else { Some(row.text(0)?.to_owned()) };
        let ecash = if row.is_null(1) {
            None
        } else {
            Some((Tag(row.int(1)? as u32), super::work::minor("card_account", row.int(2)?)?))
        };
        let shadow_minor = if row.is_null(3) { 0 } else { row.int(3)? };
        Ok(Some(Linked { account, class: usage::class(row.text(4)?)?, ecash, shadow_minor }))
    }

    /// The PAN of a card.
    pub(super) fn card_pan(&mut self, card: &str) -> Result<Pan, IssuerError> {
        let corrupt = || IssuerError::Corrupt {
            table: "card",
            expected: "a sealed PAN",
            found: "something else".into(),
        };
        let rows = self.tx.query("SELECT pan FROM card WHERE id = $1", &[card.into()])?;
        let sealed = Sealed(rows.first().ok_or_else(corrupt)?.bytes(0)?.to_vec());
        let digits = sealed.open(self.seal, PAN)?;
        std::str::from_utf8(digits.expose()).ok().and_then(|digits| Pan::new(digits).ok()).ok_or_else(corrupt)
    }

    /// Notes the counter of the card that is held; `false` where it is not above the
    /// last one seen.
    pub(super) fn advance_atc(&mut self, atc: u16) -> bool {
        let above = |held: &&mut HeldCard| held.last_atc < i64::from(atc);
        let Some(held) = self.held.as_mut().filter(above) else { return false };
        held.last_atc = i64::from(atc);
        held.is_changed = true;
        true
    }

    /// Whether the PIN is the card's.
    pub(super) fn pin_fits(&self, reference: &Sealed, pin: &str) -> Result<bool, IssuerError> {
        let reference = reference.open(self.seal, PIN)?;
        Ok(crate::words::pboc::equal(reference.expose(), pin.as_bytes()))
    }

    /// Spends a PIN try; `false` where none is left.
    pub(super) fn spend_pin_try(&mut self, card: &str) -> Result<bool, IssuerError> {
        let changed = self.tx.execute(
            "UPDATE card SET pin_tries = pin_tries - 1 WHERE id = $1 AND pin_tries > 0",
            &[card.into()],
        )?;
        Ok(changed == 1)
    }

    /// Gives a card its PIN tries back, after a right one.
    pub(super) fn restore_pin_tries(&mut self, card: &CardOnFile) -> Result<(), IssuerError> {
        if card.pin_tries == i64::from(self.rules.pin_tries) {
            return Ok(());
        }
        self.tx.execute(
            "UPDATE card SET pin_tries = $1 WHERE id = $2",
            &[i64::from(self.rules.pin_tries).into(), card.id.as_str().into()],
        )?;
        Ok(())
    }

    pub(super) fn pan_lookup(&self, pan: &str) -> Vec<u8> {
        Sealed::lookup(self.seal, PAN, pan.as_bytes())
    }
}

fn card_on_file(row: &Row) -> Result<CardOnFile, IssuerError> {
    let name = row.text(1)?;
    let version = CryptogramVersion::by_name(name).ok_or_else(|| IssuerError::Corrupt {
        table: "card",
        expected: "a cryptogram version that is known",
        found: name.to_owned(),
    })?;
    Ok(CardOnFile {
        id: row.text(0)?.to_owned(),
        version,
        dki: row.int(2)? as u8,
        expiry: row.int(3)?,
        pin: if row.is_null(4) { None } else { Some(Sealed(row.bytes(4)?.to_vec())) },
        pin_tries: row.int(5)?,
        active: row.text(6)? == "active",
        last_atc: row.int(7)?,
    })
}
