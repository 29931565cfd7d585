//! The account behind a physical card, and the cards that it has had. The payment
//! account reference belongs to the account: it stays when the card is replaced.

use super::VaultError;
use super::work::Work;
use crate::air::host::FundingCard;
use crate::words::emv::Pan;

/// What a payment account reference is sealed for: it is no number of a card, but whoever
/// reads it links every payment of an account.
pub(super) const PAR: &str = "token_funding.par";
/// What a physical card's number is sealed for.
pub(super) const PAN: &str = "token_card.pan";
/// What our payment account references begin with, where a scheme's have the
/// identifier of its BIN controller.
const BIN_CONTROLLER: &str = "CW01";
const PAR_ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// An account.
#[derive(Debug, Clone)]
pub(super) struct Funding {
    pub(super) id: String,
    pub(super) par: String,
    /// The card that it has now.
    pub(super) card: String,
    pub(super) cancelled: bool,
}

impl Work<'_> {
    /// The account of a card, opened with its first card.
    pub(super) fn open_funding(&mut self, card: &FundingCard) -> Result<Funding, VaultError> {
        if let Some(found) = self.funding_of_pan(&card.pan)? {
            return self.move_funding(&found, card);
        }
        let (id, card_id, par, at) = (self.new_id(), self.new_id(), self.new_par(), self.now().micros());
        let sealed = self.seals.seal(PAR, par.as_bytes(), self.context);
        self.tx.execute(
            "INSERT INTO token_funding (id, par, card, standing, at, seal) VALUES ($1, $2, $3, 'good', $4, $5)",
            &[id.as_str().into(), sealed, card_id.as_str().into(), at.into(), self.seals.name().into()],
        )?;
        self.insert_card(&card_id, &id, card)?;
        Ok(Funding { id, par, card: card_id, cancelled: false })
    }

    /// Gives an account another card. The numbers of its tokens and its reference stay.
    pub(super) fn move_funding(&mut self, id: &str, card: &FundingCard) -> Result<Funding, VaultError> {
        let [now, before] = self.seals.found_by(PAN, card.pan.expose().as_bytes());
        let rows = self.tx.query(
            "SELECT id FROM token_card WHERE pan_lookup IN ($1, $2) AND psn = $3",
            &[now, before, i64::from(card.psn).into()],
        )?;
        let card_id = match rows.first() {
            Some(row) => row.text(0)?.to_owned(),
            None => {
                let card_id = self.new_id();
                self.insert_card(&card_id, id, card)?;
                card_id
            }
        };
        self.tx.execute(
            "UPDATE token_funding SET card = $1, standing = 'good' WHERE id = $2",
            &[card_id.as_str().into(), id.into()],
        )?;
        self.tx.execute(
            "UPDATE token_card SET expiry = $1 WHERE id = $2",
            &[card.expiry.into(), card_id.as_str().into()],
        )?;
        self.funding(id)
    }

    /// The account ends with its card.
    pub(super) fn cancel_funding(&mut self, id: &str) -> Result<(), VaultError> {
        self.tx.execute("UPDATE token_funding SET standing = 'cancelled' WHERE id = $1", &[id.into()])?;
        Ok(())
    }

    /// The account that has or had a card of this number.
    pub(super) fn funding_of_pan(&mut self, pan: &Pan) -> Result<Option<String>, VaultError> {
        let rows = self.tx.query(
            "SELECT funding FROM token_card WHERE pan_lookup IN ($1, $2) ORDER BY psn",
            &self.seals.found_by(PAN, pan.expose().as_bytes()),
        )?;
        Ok(rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()?)
    }

    /// An account, kept from every other writer until the work is done.
    pub(super) fn funding(&mut self, id: &str) -> Result<Funding, VaultError> {
        let rows = self
            .tx
            .query_locked("SELECT id, par, card, standing FROM token_funding WHERE id = $1", &[id.into()])?;
        let row = rows.first().ok_or_else(|| absent("token_funding", "the account of a token"))?;
        let par = self.seals.open(PAR, row.bytes(1)?)?;
        Ok(Funding {
            id: row.text(0)?.to_owned(),
            par: String::from_utf8_lossy(par.expose()).into_owned(),
            card: row.text(2)?.to_owned(),
            cancelled: row.text(3)? == "cancelled",
        })
    }

    /// A physical card.
    pub(super) fn card(&mut self, id: &str) -> Result<FundingCard, VaultError> {
        let rows = self.tx.query("SELECT pan, psn, expiry FROM token_card WHERE id = $1", &[id.into()])?;
        let row = rows.first().ok_or_else(|| absent("token_card", "the card of an account"))?;
        Ok(FundingCard {
            pan: self.open_pan(PAN, row.bytes(0)?)?,
            psn: row.int(1)? as u8,
            expiry: row.int(2)?,
        })
    }

    /// A number out of a sealed column.
    pub(super) fn open_pan(&self, purpose: &'static str, sealed: &[u8]) -> Result<Pan, VaultError> {
        let digits = self.seals.open(purpose, sealed)?;
        let pan = std::str::from_utf8(digits.expose()).ok().and_then(|digits| Pan::new(digits).ok());
        pan.ok_or_else(|| absent(purpose, "a sealed card number"))
    }

    fn insert_card(&mut self, id: &str, funding: &str, card: &FundingCard) -> Result<(), VaultError> {
        let pan = card.pan.expose().as_bytes();
        let (sealed, lookup) = (self.seals.seal(PAN, pan, self.context), self.seals.lookup(PAN, pan));
        self.tx.execute(
            "INSERT INTO token_card (id, funding, pan, pan_lookup, psn, expiry, seal) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                id.into(),
                funding.into(),
                sealed,
                lookup.into(),
                i64::from(card.psn).into(),
                card.expiry.into(),
                self.seals.name().into(),
            ],
        )?;
        Ok(())
    }

    fn new_par(&mut self) -> String {
        let random: [u8; 25] = self.context.random();
        let tail = random.map(|byte| char::from(PAR_ALPHABET[usize::from(byte) % PAR_ALPHABET.len()]));
        BIN_CONTROLLER.chars().chain(tail).collect()
    }
}

pub(super) fn absent(table: &'static str, expected: &'static str) -> VaultError {
    VaultError::Corrupt { table, expected, found: "none".into() }
}
