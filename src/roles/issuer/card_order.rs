//! A card that comes on file: what personalisation writes and the issuer must know.

use super::cards::{PAN, PIN};
use super::ledger::Book;
use super::work::{Work, column};
use super::{AccountId, IssuerError};
use crate::base::bytes::Secret;
use crate::base::store::{Sealed, Value};
use crate::words::emv::Pan;
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::EcashSet;

/// A card to be put on file: what personalisation writes and the issuer must know.
#[derive(Debug, Clone)]
pub struct CardOrder {
    /// Its PAN.
    pub pan: Pan,
    /// PAN sequence number (5F34), 00 where it has none.
    pub psn: u8,
    /// Its cryptogram version, by the name in `CRYPTOGRAM_VERSIONS`. Another number
    /// in issuer application data (CVN 17 on the quick path) takes the row that
    /// makes keys the same way.
    pub version: String,
    /// Derivation key index of its keys.
    pub dki: u8,
    /// Expiry as tag 5F24 has it, YYMMDD in BCD.
    pub expiry: [u8; 3],
    /// Reference PIN, 4 to 12 digits, where it has an online PIN.
    pub pin: Option<Secret<String>>,
    /// Its currencies, each at most once.
    pub accounts: Vec<CardAccount>,
}

/// One currency of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardAccount {
    /// The currency.
    pub currency: Currency,
    /// The linked account; a card of pure electronic cash may have none.
    pub account: Option<AccountId>,
    /// Electronic cash in this currency, where the card has it.
    pub ecash: Option<EcashTerms>,
}

/// Electronic cash of one currency as it was personalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EcashTerms {
    /// Which data objects hold it.
    pub set: EcashSet,
    /// Upper bound of the balance (9F77, DF77), minor units.
    pub balance_limit_minor: u64,
    /// The balance that the card starts with, minor units.
    pub balance_minor: u64,
}

impl Work<'_> {
    /// Puts a card on file.
    pub(super) fn order_card(&mut self, order: &CardOrder) -> Result<(), IssuerError> {
        let wrong = |expected, found: String| IssuerError::Order { expected, found };
        if CryptogramVersion::by_name(&order.version).is_none() {
            return Err(wrong("a cryptogram version that is known", order.version.clone()));
        }
        if order.pan.is_token() {
            return Err(wrong("a PAN outside the range of tokens", Pan::TOKEN_BIN.into()));
        }
        let expiry = expiry_number(order.expiry)
            .ok_or_else(|| wrong("an expiry date YYMMDD in BCD", format!("{:02X?}", order.expiry)))?;
        if let Some(pin) = &order.pin
            && !(pin.expose().len() >= 4 && pin.expose().len() <= 12 && is_digits(pin.expose()))
        {
            return Err(wrong("a PIN of 4 to 12 digits", format!("{} characters", pin.expose().len())));
        }
        let id = self.new_id();
        let pan = Sealed::seal(self.seal, PAN, order.pan.expose().as_bytes(), self.context);
        let pin = order.pin.as_ref().map(|pin| {
            let sealed = Sealed::seal(self.seal, PIN, pin.expose().as_bytes(), self.context);
            Value::Bytes(sealed.0)
        });
        let changed = self.tx.execute(
            "INSERT INTO card (id, pan, pan_lookup, psn, cryptogram_version, dki, expiry, pin, pin_tries, \
             status, last_atc, ordered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', 0, $10) \
             ON CONFLICT DO NOTHING",
            &[
                id.as_str().into(),
                Value::Bytes(pan.0),
                Value::Bytes(self.pan_lookup(order.pan.expose())),
                i64::from(order.psn).into(),
                order.version.as_str().into(),
                i64::from(order.dki).into(),
                expiry.into(),
                pin.unwrap_or(Value::Null),
                i64::from(self.rules.pin_tries).into(),
                self.now().micros().into(),
            ],
        )?;
        if changed == 0 {
            return Err(IssuerError::CardExists { psn: order.psn });
        }
        for (index, linked) in order.accounts.iter().enumerate() {
            if order.accounts[..index].iter().any(|other| other.currency == linked.currency) {
                return Err(wrong("each currency once", linked.currency.to_string()));
            }
            self.link(&id, linked)?;
        }
        self.say("Card Ordered", "the card is on file with its accounts");
        Ok(())
    }

    fn link(&mut self, card: &str, linked: &CardAccount) -> Result<(), IssuerError> {
        if let Some(account) = &linked.account {
            let found = self.account_currency(&account.0)?;
            if found != linked.currency {
                let (id, expected) = (account.0.clone(), linked.currency);
                return Err(IssuerError::AccountCurrency { id, expected, found });
            }
        }
        let limit = linked.ecash.map(|terms| column(terms.balance_limit_minor)).transpose()?;
        self.tx.execute(
            "INSERT INTO card_account (card, currency, account, balance_tag, balance_limit) \
             VALUES ($1, $2, $3, $4, $5)",
            &[
                card.into(),
                i64::from(linked.currency.0).into(),
                linked.account.as_ref().map(|account| account.0.as_str()).into(),
                linked.ecash.map(|terms| i64::from(terms.set.balance.0)).into(),
                limit.into(),
            ],
        )?;
        let Some(terms) = linked.ecash else { return Ok(()) };
        self.open_book(Book::Card(card), linked.currency)?;
        if terms.balance_minor > 0 {
            let balance = Amount::new(terms.balance_minor, linked.currency);
            self.transfer("card ordered", card, Book::Opening, Book::Card(card), balance)?;
        }
        Ok(())
    }
}

/// YYMMDD in BCD as YYYYMMDD; EMV's century: 50 to 99 are of the twentieth.
fn expiry_number(bytes: [u8; 3]) -> Option<i64> {
    let number = crate::base::bytes::bcd_to_u64(&bytes).ok()?;
    let number = i64::try_from(number).ok()?;
    let (month, day) = (number / 100 % 100, number % 100);
    let century = if number / 10_000 >= 50 { 1900 } else { 2000 };
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(century * 10_000 + number)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_has_a_century() {
        assert_eq!(expiry_number([0x30, 0x12, 0x31]), Some(20_301_231));
        assert_eq!(expiry_number([0x99, 0x01, 0x01]), Some(19_990_101));
        assert_eq!(expiry_number([0x30, 0x13, 0x01]), None);
        assert_eq!(expiry_number([0x3A, 0x12, 0x01]), None);
    }
}
