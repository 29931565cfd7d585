//! A message acts once (design, money): its key under the business date of first
//! arrival. The same content under the same key is a repeat, on whatever day it
//! comes; other content under it on the same day is refused; on another day it is
//! a new message, since terminals count traces round.
//!
//! What makes the content: kind, amount and card; in a request also the original,
//! the payer, the way of reading and the chip data; in a script result the original and the result. So a
//! reversal or notice that is written anew from a journal is the same message. The
//! time is left out, as a wire may not carry it, and the PIN, of which nothing is
//! ever stored.

use super::IssuerError;
use super::answer::Acted;
use super::load::load_result;
use super::work::Work;
use crate::air::host::{
    Answer, BatchTotals, Kind, MessageClass, MessageKey, Original, Request, ResponseCode, Settlement,
};
use crate::base::store::{Sealed, Value};
use crate::words::dictionary::tag;

/// What came before under the key of a message.
#[derive(Debug)]
pub(super) enum Earlier {
    /// Nothing that keeps it from acting.
    None,
    /// The message itself; this was its answer.
    Same(Box<Acted>),
    /// Something that bars it.
    Refuses(Answer),
}

/// The message that another one speaks of.
#[derive(Debug)]
pub(super) enum Found {
    /// It came; what it acted on, if on anything.
    Came(Option<String>),
    /// The key is taken today by a message about another card, amount or kind.
    Other,
    /// It never came.
    Never,
}

const COLUMNS: &str = "SELECT business_date, fingerprint, subject, barred, acted_on, answer FROM message \
     WHERE class = $1 AND merchant = $2 AND terminal = $3 AND batch = $4 AND trace = $5 \
     ORDER BY business_date DESC";

const KEEP: &str = "INSERT INTO message (class, merchant, terminal, batch, trace, business_date, fingerprint, \
     subject, barred, at, acted_on, answer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11) \
     ON CONFLICT DO NOTHING";

const KEEP_UNLESS_BARRED: &str = "INSERT INTO message (class, merchant, terminal, batch, trace, business_date, \
     fingerprint, subject, barred, at, acted_on, answer) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11 WHERE NOT EXISTS (SELECT 1 FROM bar \
     WHERE merchant = $2 AND terminal = $3 AND batch = $4 AND trace = $5 AND subject = $8) \
     ON CONFLICT DO NOTHING";

impl Work<'_> {
    /// What took the key of a message, or bars it.
    pub(super) fn earlier(&mut self, request: &Request) -> Result<Earlier, IssuerError> {
        let (fingerprint, subject) = (self.fingerprint(request), self.subject(request));
        self.earlier_content(&request.key, &fingerprint, &subject)
    }

    /// The same for the sums of a batch.
    pub(super) fn earlier_totals(&mut self, totals: &BatchTotals) -> Result<Earlier, IssuerError> {
        let content = self.totals_content(totals);
        self.earlier_content(&totals.key, &content, &content)
    }

    fn earlier_content(
        &mut self,
        key: &MessageKey,
        fingerprint: &[u8],
        subject: &[u8],
    ) -> Result<Earlier, IssuerError> {
        let today = self.now().date_number();
        let mut taken_today = false;
        for row in self.tx.query(COLUMNS, &key_values(key))? {
            taken_today |= row.int(0)? == today;
            let barred = row.int(3)? != 0;
            if barred && row.bytes(2)? == subject {
                let reason = "a reversal came before this request and bars it";
                return Ok(Earlier::Refuses(Answer::new(ResponseCode::INVALID_TRANSACTION, reason)));
            }
            if !barred && row.bytes(1)? == fingerprint && !row.is_null(5) {
                let answer = read_answer(row.text(5)?)?;
                let on = if row.is_null(4) { None } else { Some(row.text(4)?.to_owned()) };
                return Ok(Earlier::Same(Box::new(Acted { answer, on })));
            }
        }
        if taken_today {
            let reason = "this key was used today for another message";
            return Ok(Earlier::Refuses(Answer::new(ResponseCode::DUPLICATE, reason)));
        }
        Ok(Earlier::None)
    }

    /// Takes the key of a message and keeps its answer under it; `false` where something
    /// came before: [`Self::earlier`] says what. Nothing is read but the few bars, so that
    /// messages of one moment are in nobody's way under SERIALIZABLE, which tells rows of
    /// one index page apart no further.
    pub(super) fn keep(&mut self, request: &Request, acted: &Acted) -> Result<bool, IssuerError> {
        let (fingerprint, subject) = (self.fingerprint(request), self.subject(request));
        self.keep_content(&request.key, fingerprint, subject, acted)
    }

    /// The same for the sums of a batch.
    pub(super) fn keep_totals(&mut self, totals: &BatchTotals, acted: &Acted) -> Result<bool, IssuerError> {
        let content = self.totals_content(totals);
        self.keep_content(&totals.key, content.clone(), content, acted)
    }

    fn keep_content(
        &mut self,
        key: &MessageKey,
        fingerprint: Vec<u8>,
        subject: Vec<u8>,
        acted: &Acted,
    ) -> Result<bool, IssuerError> {
        let text = serde_json::to_string(&acted.answer).map_err(|error| IssuerError::Corrupt {
            table: "message",
            expected: "an answer that can be written",
            found: error.to_string(),
        })?;
        let mut values = key_values(key).to_vec();
        values.extend([
            self.now().date_number().into(),
            fingerprint.into(),
            subject.into(),
            self.now().micros().into(),
            acted.on.as_deref().into(),
            Value::Text(text),
        ]);
        // A reversal's own subject is the one that it bars.
        let sql = match key.class {
            MessageClass::Request => KEEP_UNLESS_BARRED,
            _ => KEEP,
        };
        Ok(self.tx.execute(sql, &values)? == 1)
    }

    /// The request that a reversal undoes: the same key but for the class, the
    /// same card, amount and kind.
    pub(super) fn find_reversed(&mut self, reversal: &Request) -> Result<Found, IssuerError> {
        let key = request_key(&reversal.key);
        let (subject, today) = (self.subject(reversal), self.now().date_number());
        let mut other = false;
        for row in self.tx.query(COLUMNS, &key_values(&key))? {
            if row.bytes(2)? == subject {
                let on = if row.is_null(4) { None } else { Some(row.text(4)?.to_owned()) };
                return Ok(Found::Came(on));
            }
            other |= row.int(0)? == today;
        }
        Ok(if other { Found::Other } else { Found::Never })
    }

    /// Bars the request that a reversal speaks of from acting later; `false` where
    /// its key has just been taken.
    pub(super) fn bar(&mut self, reversal: &Request) -> Result<bool, IssuerError> {
        let key = request_key(&reversal.key);
        let subject = Value::Bytes(self.subject(reversal));
        let mut values = key_values(&key).to_vec();
        values.extend([
            self.now().date_number().into(),
            subject.clone(),
            subject.clone(),
            self.now().micros().into(),
        ]);
        let changed = self.tx.execute(
            "INSERT INTO message (class, merchant, terminal, batch, trace, business_date, fingerprint, \
             subject, barred, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9) ON CONFLICT DO NOTHING",
            &values,
        )?;
        if changed == 0 {
            return Ok(false);
        }
        let [_, merchant, terminal, batch, trace] = key_values(&key);
        self.tx.execute(
            "INSERT INTO bar (merchant, terminal, batch, trace, subject) VALUES ($1, $2, $3, $4, $5)",
            &[merchant, terminal, batch, trace, subject],
        )?;
        Ok(true)
    }

    /// A keyed hash of the whole content.
    fn fingerprint(&self, request: &Request) -> Vec<u8> {
        let mut text = subject_text(request);
        match (request.key.class, request.kind) {
            (MessageClass::Reversal, _) => {}
            (_, Kind::ScriptResult) => {
                let result = request.chip.value(tag::ISSUER_SCRIPT_RESULTS).and_then(load_result);
                text.extend(format!("|{:?}|{result:?}", request.original).into_bytes());
            }
            _ => {
                text.extend(format!("|{:?}|{:?}|", request.entry, request.original).into_bytes());
                if let Some(payer) = &request.payer {
                    text.extend(format!("{}|", payer.expose()).into_bytes());
                }
                text.extend(request.chip.to_bytes());
            }
        }
        Sealed::lookup(self.seal, "message.fingerprint", &text)
    }

    /// A keyed hash of the sums of a batch.
    fn totals_content(&self, totals: &BatchTotals) -> Vec<u8> {
        let text = format!("{:?}|{}|{:?}", totals.step, totals.currency.0, totals.sums);
        Sealed::lookup(self.seal, "message.fingerprint", text.as_bytes())
    }

    /// A keyed hash of what a request and its reversal share.
    fn subject(&self, request: &Request) -> Vec<u8> {
        Sealed::lookup(self.seal, "message.subject", &subject_text(request))
    }
}

/// The key of the request that a notice speaks of.
pub(super) fn original_key(key: &MessageKey, original: Original) -> MessageKey {
    MessageKey { batch: original.batch, trace: original.trace, ..request_key(key) }
}

/// Whether a key can stand in its fields.
pub(super) fn key_fits(key: &MessageKey) -> bool {
    key.merchant.len() <= 15 && key.terminal.len() <= 8 && key.batch <= 999_999 && key.trace <= 999_999
}

/// How a settlement may change what a stored answer says: `Open` is no last word.
pub(super) fn is_final(settlement: Option<Settlement>) -> bool {
    settlement != Some(Settlement::Open)
}

fn request_key(key: &MessageKey) -> MessageKey {
    MessageKey { class: MessageClass::Request, ..key.clone() }
}

fn key_values(key: &MessageKey) -> [Value; 5] {
    let class = match key.class {
        MessageClass::Request => "request",
        MessageClass::Reversal => "reversal",
        MessageClass::Notice => "notice",
        MessageClass::Batch => "batch",
    };
    [
        class.into(),
        key.merchant.as_str().into(),
        key.terminal.as_str().into(),
        i64::from(key.batch).into(),
        i64::from(key.trace).into(),
    ]
}

fn subject_text(request: &Request) -> Vec<u8> {
    let (amount, pan) = (request.amount, request.pan.expose());
    format!("{:?}|{}|{}|{pan}|{}", request.kind, amount.minor, amount.currency.0, request.psn).into_bytes()
}

fn read_answer(text: &str) -> Result<Answer, IssuerError> {
    serde_json::from_str(text).map_err(|error| IssuerError::Corrupt {
        table: "message",
        expected: "a stored answer",
        found: error.to_string(),
    })
}
