//! Tokens: numbers of our own token range in place of card numbers.

use super::VaultError;
use super::funding::Funding;
use super::states::{Step, TOKEN_STATES, TOKEN_TABLE, TokenEvent, Word, step};
use super::work::{Work, state};
use super::{Domain, TokenRules};
use crate::air::host::{
    KeyKind, LimitedUseKey, RequestorId, TokenError, TokenReference, TokenState, TokenView,
};
use crate::base::store::{Row, Value};
use crate::words::emv::Pan;

/// What a token's number is sealed for.
pub(super) const PAN: &str = "token.pan";
/// PAN sequence number of every token card.
pub(super) const PSN: u8 = 0x00;
/// How many numbers are tried before the range counts as full.
const TRIES: usize = 32;

const COLUMNS: &str = "SELECT id, pan, last_four, funding, binding, requestor, device, keys, domain, state, \
     expiry, last_atc FROM token";

/// A token.
#[derive(Debug, Clone)]
pub(super) struct TokenRow {
    pub(super) id: String,
    pub(super) pan: Pan,
    pub(super) last_four: String,
    pub(super) funding: String,
    pub(super) binding: String,
    pub(super) requestor: RequestorId,
    pub(super) device: String,
    pub(super) keys: KeyKind,
    pub(super) domain: Domain,
    pub(super) state: TokenState,
    /// YYYYMMDD.
    pub(super) expiry: i64,
    pub(super) last_atc: i64,
}

/// A token that is to be made.
#[derive(Debug, Clone)]
pub(super) struct NewToken<'a> {
    pub(super) funding: &'a Funding,
    pub(super) binding: &'a str,
    pub(super) requestor: &'a str,
    pub(super) device: &'a str,
    pub(super) keys: &'a str,
    /// How the holder was identified (token assurance method).
    pub(super) assurance: &'static str,
}

/// What a token's device is to store, before the bureau has prepared it.
#[derive(Debug)]
pub(super) struct PersonalData {
    pub(super) token: TokenRow,
    pub(super) view: TokenView,
    /// The mark of the device (9F63).
    pub(super) device: Vec<u8>,
    pub(super) key: Option<LimitedUseKey>,
}

impl TokenRow {
    pub(super) const LIVE_OF_BINDING: &'static str = "binding = $1 AND state <> 'terminated'";
    pub(super) const LIVE_OF_FUNDING: &'static str = "funding = $1 AND state <> 'terminated'";
}

impl Work<'_> {
    /// Makes a token, which pays for nothing yet.
    pub(super) fn insert_token(&mut self, new: &NewToken<'_>) -> Result<String, VaultError> {
        let id = self.new_id();
        let domain = serde_json::to_string(&self.rules.domain).map_err(|error| VaultError::Corrupt {
            table: "token",
            expected: "a domain",
            found: error.to_string(),
        })?;
        let digits = self.card(&new.funding.card)?.pan.expose().len();
        let (expiry, at) = (expiry(self.rules, self.now().date_number()), self.now().micros());
        for _ in 0..TRIES {
            let pan = self.draw(digits)?;
            let bytes = pan.expose().as_bytes();
            // Two look-ups of one number do not collide in the column.
            if self.seals.are_changing() && self.token_of_pan(pan.expose())?.is_some() {
                continue;
            }
            let (sealed, lookup) = (self.seals.seal(PAN, bytes, self.context), self.seals.lookup(PAN, bytes));
            let changed = self.tx.execute(
                "INSERT INTO token (id, pan, pan_lookup, last_four, funding, binding, requestor, device, keys, \
                 assurance, domain, state, expiry, last_atc, at, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \
                 $9, $10, $11, 'requested', $12, 0, $13, $14) ON CONFLICT DO NOTHING",
                &[
                    id.as_str().into(),
                    sealed,
                    lookup.into(),
                    last_four(&pan).into(),
                    new.funding.id.as_str().into(),
                    new.binding.into(),
                    new.requestor.into(),
                    new.device.into(),
                    new.keys.into(),
                    new.assurance.into(),
                    domain.as_str().into(),
                    expiry.into(),
                    at.into(),
                    self.seals.name().into(),
                ],
            )?;
            if changed == 1 {
                self.note(&id, "Make", TokenState::Requested.word(), new.requestor, new.assurance)?;
                self.say("Token Made", "it pays for nothing until it is activated");
                return Ok(id);
            }
        }
        Err(VaultError::RangeFull { bin: Pan::TOKEN_BIN, tries: TRIES })
    }

    /// The tokens that fit a condition, oldest first.
    pub(super) fn tokens_where(&mut self, rule: &str, values: &[Value]) -> Result<Vec<TokenRow>, VaultError> {
        let rows = self.tx.query(&format!("{COLUMNS} WHERE {rule} ORDER BY id"), values)?;
        rows.iter().map(|row| self.token_row(row)).collect()
    }

    /// A token by its name.
    pub(super) fn token(&mut self, reference: &str) -> Result<Option<TokenRow>, VaultError> {
        Ok(self.tokens_where("id = $1", &[reference.into()])?.pop())
    }

    /// A token by its number, kept from every other writer until the work is done.
    pub(super) fn token_of_pan(&mut self, pan: &str) -> Result<Option<TokenRow>, VaultError> {
        let rows = self.tx.query_locked(
            &format!("{COLUMNS} WHERE pan_lookup IN ($1, $2)"),
            &self.seals.found_by(PAN, pan.as_bytes()),
        )?;
        rows.first().map(|row| self.token_row(row)).transpose()
    }

    /// An event of a token, by its table; what changes, is in the history.
    pub(super) fn token_event(
        &mut self,
        token: &TokenRow,
        event: TokenEvent,
        by: &str,
        reason: &str,
    ) -> Result<TokenState, VaultError> {
        let next = match step(TOKEN_TABLE, &TOKEN_STATES, event, token.state) {
            Step::To(next) => next,
            Step::Stays => return Ok(token.state),
            Step::No(reason) => return Err(TokenError::State { step: "change the token", reason }.into()),
        };
        self.tx.execute(
            "UPDATE token SET state = $1 WHERE id = $2",
            &[next.word().into(), token.id.as_str().into()],
        )?;
        self.note(&token.id, &format!("{event:?}"), next.word(), by, reason)?;
        self.say("Token Changed", format!("{}: {reason}", next.word()));
        Ok(next)
    }

    /// A token as a party may see it.
    pub(super) fn view(&mut self, reference: &str) -> Result<TokenView, VaultError> {
        let token = self.token(reference)?.ok_or_else(|| super::work::unknown("token"))?;
        let funding = self.funding(&token.funding)?;
        let card = self.card(&funding.card)?;
        Ok(TokenView {
            reference: TokenReference(token.id),
            state: token.state,
            requestor: token.requestor,
            device: token.device,
            token_last_four: token.last_four,
            last_four: last_four(&card.pan),
            par: funding.par,
            expiry: token.expiry,
        })
    }

    /// What the device of a token stores: of limited-use keys, the newest.
    pub(super) fn personal_data(&mut self, token: TokenRow) -> Result<PersonalData, VaultError> {
        let key = match token.keys {
            KeyKind::SecureElement => None,
            KeyKind::LimitedUse => {
                let newest = self.key_rows(&token.id)?.first().map_or(0, |row| row.sequence);
                Some(self.next_key(&token, newest.saturating_sub(1))?)
            }
        };
        let (view, device) = (self.view(&token.id)?, self.device_mark(&token.requestor, &token.device));
        Ok(PersonalData { token, view, device, key })
    }

    /// The mark of a token's device, which its card shows (9F63).
    pub(super) fn device_mark(&self, requestor: &RequestorId, device: &str) -> Vec<u8> {
        self.seals.mark("token.device", format!("{requestor}\n{device}").as_bytes())
    }

    /// A number of the token range with as many digits as the card's.
    fn draw(&mut self, digits: usize) -> Result<Pan, VaultError> {
        let body_digits = digits - 1 - Pan::TOKEN_BIN.len();
        let number = u64::from_be_bytes(self.context.random()) % 10u64.pow(body_digits as u32);
        Pan::with_check_digit(&format!("{}{number:0body_digits$}", Pan::TOKEN_BIN)).map_err(|error| {
            VaultError::Corrupt { table: "token", expected: "a number", found: error.to_string() }
        })
    }

    fn token_row(&self, row: &Row) -> Result<TokenRow, VaultError> {
        let corrupt =
            |expected, found: &str| VaultError::Corrupt { table: "token", expected, found: found.into() };
        Ok(TokenRow {
            id: row.text(0)?.to_owned(),
            pan: self.open_pan(PAN, row.bytes(1)?)?,
            last_four: row.text(2)?.to_owned(),
            funding: row.text(3)?.to_owned(),
            binding: row.text(4)?.to_owned(),
            requestor: RequestorId::new(row.text(5)?)
                .ok_or_else(|| corrupt("a requestor", row.text(5).unwrap_or("")))?,
            device: row.text(6)?.to_owned(),
            keys: state("token", row.text(7)?)?,
            domain: serde_json::from_str(row.text(8)?)
                .map_err(|error| corrupt("a domain", &error.to_string()))?,
            state: state("token", row.text(9)?)?,
            expiry: row.int(10)?,
            last_atc: row.int(11)?,
        })
    }
}

impl Word for KeyKind {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::SecureElement, "secure element"), (Self::LimitedUse, "limited use")];
}

/// The last four digits of a number.
pub(super) fn last_four(pan: &Pan) -> String {
    let digits = pan.expose();
    digits[digits.len() - 4..].to_owned()
}

/// When a token made today expires, YYYYMMDD: a day that every month has.
pub(super) fn expiry(rules: &TokenRules, today: i64) -> i64 {
    (today / 100 + rules.years * 100) * 100 + 28
}
