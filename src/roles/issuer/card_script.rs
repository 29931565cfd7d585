//! What the issuer wants done to a card: a script goes out with the answer to the card's
//! next online transaction, again and again until its result is told (EMV Book 3 10.10).
//! Each command may be taken twice without harm.

use super::IssuerError;
use super::answer::{Acted, with_mac};
use super::present::Presented;
use super::work::Work;
use crate::air::host::{Answer, Request, ResponseCode};
use crate::base::bytes::{Hex, Secret, parse_hex};
use crate::base::env::Timestamp;
use crate::base::store::{Sealed, Value};
use crate::words::dictionary::tag;
use crate::words::emv::command::{
    ApplicationBlock, ApplicationUnblock, CardBlock, PinChangeUnblock, PinOperation,
};
use crate::words::emv::{IssuerScript, Pan, ScriptResult};
use crate::words::iso7816::{ApduCommand, CommandApdu};
use crate::words::pboc::VerifiedCryptogram;
use crate::words::pboc::command::PutData;
use crate::words::tlv::Tag;

const CONTENT: &str = "card_script.content";
/// The first identifier (9F18); load scripts have the one below.
const FIRST_NUMBER: i64 = 2;

/// What is done to a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardScript {
    /// Its PIN tries are given back.
    UnblockPin,
    /// It gets another PIN, 4 to 12 digits; so does its row on file, once it has it.
    ChangePin(Secret<String>),
    /// Its application is blocked.
    BlockApplication,
    /// Its application is no longer blocked.
    UnblockApplication,
    /// It is blocked for good.
    BlockCard,
    /// A data object is written, such as a limit of card risk management.
    Put(Tag, Vec<u8>),
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptOrder {
    /// What is done.
    pub script: CardScript,
    /// Whether before the second GENERATE AC (template 71) or after it (72).
    pub before_second_ac: bool,
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScriptState {
    /// It waits for the card, or for word of what became of it.
    Waiting,
    /// The card has taken it.
    Done,
    /// The card has refused it.
    Refused,
}

/// What was ordered of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedScript {
    /// Its identifier (9F18).
    pub number: u32,
    /// What is done, without a PIN.
    pub what: String,
    /// How far it has come.
    pub state: ScriptState,
    /// When it was ordered.
    pub at: Timestamp,
}

impl CardScript {
    /// From the words of a person or a column: `unblock-pin`, `change-pin 123456`,
    /// `block-application`, `unblock-application`, `block-card`, `put 9F58 05`.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let wrong = |found: &str| IssuerError::Order {
            expected: "unblock-pin, change-pin PIN, block-application, unblock-application, block-card or \
                       put TAG VALUE",
            found: found.to_owned(),
        };
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let operands: Vec<&str> = words.collect();
        Ok(match (name, operands.as_slice()) {
            ("unblock-pin", []) => Self::UnblockPin,
            ("block-application", []) => Self::BlockApplication,
            ("unblock-application", []) => Self::UnblockApplication,
            ("block-card", []) => Self::BlockCard,
            ("change-pin", [pin]) if is_pin(pin) => Self::ChangePin(Secret::new((*pin).to_owned())),
            ("put", [tag, value]) => {
                let tag = u16::from_str_radix(tag, 16).map_err(|_| wrong("put with another tag"))?;
                let value = parse_hex(value).ok().filter(|value| (1..=64).contains(&value.len()));
                Self::Put(Tag(tag.into()), value.ok_or_else(|| wrong("put with another value"))?)
            }
            // What follows the name may be a PIN.
            (name, _) => return Err(wrong(name)),
        })
    }

    /// What is done, without a PIN.
    pub fn name(&self) -> String {
        match self {
            Self::UnblockPin => "unblock-pin".into(),
            Self::ChangePin(_) => "change-pin".into(),
            Self::BlockApplication => "block-application".into(),
            Self::UnblockApplication => "unblock-application".into(),
            Self::BlockCard => "block-card".into(),
            Self::Put(tag, value) => format!("put {tag} {}", Hex(value)),
        }
    }

    /// As [`Self::parse`] reads it.
    fn text(&self) -> Secret<String> {
        Secret::new(match self {
            Self::ChangePin(pin) => format!("{} {}", self.name(), pin.expose()),
            _ => self.name(),
        })
    }

    /// The command under the card's keys, bound to the transaction at hand.
    fn command(&self, verified: &VerifiedCryptogram) -> Result<CommandApdu, IssuerError> {
        const NO_MAC: [u8; 4] = [0; 4];
        let command = match self {
            Self::UnblockPin => PinChangeUnblock { operation: PinOperation::Unblock, mac: NO_MAC }.to_apdu(),
            Self::ChangePin(pin) => {
                let (atc, cryptogram) = (verified.atc.to_be_bytes(), verified.cryptogram);
                let version = verified.version;
                let block =
                    version.encipher_pin_block(&verified.keys, atc, cryptogram, pin.expose(), None)?;
                PinChangeUnblock { operation: PinOperation::Change(block), mac: NO_MAC }.to_apdu()
            }
            Self::BlockApplication => ApplicationBlock { mac: NO_MAC }.to_apdu(),
            Self::UnblockApplication => ApplicationUnblock { mac: NO_MAC }.to_apdu(),
            Self::BlockCard => CardBlock { mac: NO_MAC }.to_apdu(),
            Self::Put(tag, value) => PutData { tag: *tag, value: value.clone(), mac: NO_MAC }.to_apdu(),
        };
        with_mac(command, verified)
    }
}

impl Work<'_> {
    /// Takes an order; `false` where there is no such card.
    pub(super) fn order_script(
        &mut self,
        pan: &Pan,
        psn: u8,
        order: &ScriptOrder,
    ) -> Result<bool, IssuerError> {
        self.hold_card(pan.expose(), psn)?;
        let Some(card) = self.held_card() else { return Ok(false) };
        let rows = self.tx.query(
            "SELECT COALESCE(MAX(number), 0) FROM card_script WHERE card = $1",
            &[card.id.as_str().into()],
        )?;
        let number = rows.first().map_or(Ok(0), |row| row.int(0))?.max(FIRST_NUMBER - 1) + 1;
        let text = order.script.text();
        let content = Sealed::seal(self.seal, CONTENT, text.expose().as_bytes(), self.context);
        self.tx.execute(
            "INSERT INTO card_script (card, number, before_second_ac, content, state, at) \
             VALUES ($1, $2, $3, $4, 'waiting', $5)",
            &[
                card.id.as_str().into(),
                number.into(),
                i64::from(order.before_second_ac).into(),
                Value::Bytes(content.0),
                self.now().micros().into(),
            ],
        )?;
        self.count_waiting_scripts(1);
        self.store_held_card()?;
        self.say("Script Ordered", order.script.name());
        Ok(true)
    }

    /// What was ordered of a card; `None` where there is no such card.
    pub(super) fn scripts_of(
        &mut self,
        pan: &Pan,
        psn: u8,
    ) -> Result<Option<Vec<OrderedScript>>, IssuerError> {
        let Some(card) = self.find_card(pan.expose(), psn)? else { return Ok(None) };
        let rows = self.tx.query(
            "SELECT number, content, state, at FROM card_script WHERE card = $1 ORDER BY number",
            &[card.id.into()],
        )?;
        let mut scripts = Vec::with_capacity(rows.len());
        for row in rows {
            scripts.push(OrderedScript {
                number: row.int(0)? as u32,
                what: self.opened(row.bytes(1)?)?.name(),
                state: state(row.text(2)?)?,
                at: Timestamp::from_micros(row.int(3)?),
            });
        }
        Ok(Some(scripts))
    }

    /// Adds what waits for the card to the answer: the oldest order of each template.
    pub(super) fn with_script(
        &mut self,
        mut acted: Acted,
        presented: &Presented,
    ) -> Result<Acted, IssuerError> {
        // What a token's card would take is its service's to send.
        if !self.has_waiting_scripts() || self.token.is_some() {
            return Ok(acted);
        }
        let rows = self.tx.query(
            "SELECT number, before_second_ac, content FROM card_script \
             WHERE card = $1 AND state = 'waiting' ORDER BY number",
            &[presented.card.id.as_str().into()],
        )?;
        for row in rows {
            let script = IssuerScript {
                before_second_ac: row.int(1)? != 0,
                identifier: (row.int(0)? as u32).to_be_bytes(),
                commands: vec![self.opened(row.bytes(2)?)?.command(&presented.verified.proof)?],
            };
            if !acted.answer.chip.has(script.template()) {
                acted.answer.chip.put(script.template(), script.to_bytes());
                self.say("Script Sent", "it waited for the card");
            }
        }
        Ok(acted)
    }

    /// Takes the results (DF31) of scripts that waited for the card of the message; `true`
    /// where it told of any.
    pub(super) fn note_script_results(&mut self, request: &Request) -> Result<bool, IssuerError> {
        let Some(card) = self.held_card() else { return Ok(false) };
        let results = request.chip.value(tag::ISSUER_SCRIPT_RESULTS).unwrap_or_default();
        let mut told = false;
        for [first, a, b, c, d] in results.as_chunks::<5>().0 {
            let number = i64::from(u32::from_be_bytes([*a, *b, *c, *d]));
            let rows = self.tx.query(
                "SELECT content FROM card_script WHERE card = $1 AND number = $2",
                &[card.id.as_str().into(), number.into()],
            )?;
            let Some(row) = rows.first() else { continue };
            told = true;
            let (word, event) = match ScriptResult::from_byte(*first) {
                Some(ScriptResult::Succeeded) => ("done", "Script Done"),
                Some(ScriptResult::Failed(_)) => ("refused", "Script Refused"),
                Some(ScriptResult::NotPerformed) | None => continue,
            };
            let script = self.opened(row.bytes(0)?)?;
            let changed = self.tx.execute(
                "UPDATE card_script SET state = $1, told_at = $2 \
                 WHERE card = $3 AND number = $4 AND state = 'waiting'",
                &[word.into(), self.now().micros().into(), card.id.as_str().into(), number.into()],
            )?;
            if changed == 0 {
                continue;
            }
            self.count_waiting_scripts(-1);
            if let (CardScript::ChangePin(pin), "done") = (&script, word) {
                self.keep_pin(&card.id, pin.expose().as_bytes())?;
            }
            self.say(event, script.name());
        }
        Ok(told)
    }

    /// Takes note of a card that declined by itself and wants that told.
    pub(super) fn note_decline(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let answer = match self.held_card() {
            None => Answer::new(ResponseCode::NO_SUCH_CARD, "no card on file with this number"),
            Some(_) => {
                self.say_amount("Decline Noted", request.amount, "the card declined by itself");
                Answer::new(ResponseCode::APPROVED, "noted")
            }
        };
        Ok(Acted::nothing(answer))
    }

    fn opened(&self, content: &[u8]) -> Result<CardScript, IssuerError> {
        let text = Sealed(content.to_vec()).open(self.seal, CONTENT)?;
        CardScript::parse(std::str::from_utf8(text.expose()).unwrap_or_default())
    }
}

fn state(word: &str) -> Result<ScriptState, IssuerError> {
    Ok(match word {
        "waiting" => ScriptState::Waiting,
        "done" => ScriptState::Done,
        "refused" => ScriptState::Refused,
        other => {
            let (table, expected) = ("card_script", "a state waiting, done or refused");
            return Err(IssuerError::Corrupt { table, expected, found: other.to_owned() });
        }
    })
}

fn is_pin(text: &str) -> bool {
    (4..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_is_written_and_its_pin_is_not_told() {
        for text in ["unblock-pin", "change-pin 123456", "block-card", "put 9F58 05"] {
            let script = CardScript::parse(text).unwrap();
            assert_eq!(CardScript::parse(script.text().expose()).unwrap(), script);
            assert!(!script.name().contains("123456") && !format!("{script:?}").contains("123456"));
        }
        for text in ["", "paint", "change-pin 12", "change-pin 12a4", "put 9F58", "put XX 05", "put 9F58 0"] {
            assert!(CardScript::parse(text).is_err(), "{text}");
        }
        let error = CardScript::parse("change-pim 987654").unwrap_err().to_string();
        assert!(!error.contains("987654"), "{error}");
    }
}
