//! One-time codes: six digits, sent to the holder's phone, good for a few minutes, a
//! few tries and a few sendings. A code lies sealed until its time is over; nothing
//! tells it but the phone.

use super::IssuerError;
use super::work::Work;
use crate::air::host::{CodeCheck, CodeSent};
use crate::base::bytes::Secret;
use crate::base::env::Timestamp;
use crate::base::store::{Sealed, Value};
use crate::words::emv::Pan;
use crate::words::pboc::equal;
use std::time::Duration;

const CODE: &str = "one_time_code.code";
/// How often a code may be typed in wrong.
const TRIES: i64 = 3;
/// How often it may be sent, the first time included.
const SENDS: i64 = 3;
/// How long it is good.
const LIFETIME: Duration = Duration::from_secs(300);

/// A code's row.
struct CodeRow {
    code: Sealed,
    tries_left: i64,
    sends_left: i64,
    expires_at: Timestamp,
    confirmed: bool,
}

impl Work<'_> {
    /// Sends a code under a key, or sends a new one for it; `None` where it may not be
    /// sent again. Tries that were spent stay spent.
    pub(super) fn send_code(&mut self, key: &str, pan: &Pan) -> Result<Option<CodeSent>, IssuerError> {
        let card = self.known_card(pan)?.ok_or(IssuerError::NoSuchCard { psn: 0 })?.id;
        let earlier = self.code_row(key)?;
        let (tries, sends) = earlier.as_ref().map_or((TRIES, SENDS), |row| (row.tries_left, row.sends_left));
        if tries == 0 || sends == 0 || earlier.is_some_and(|row| row.confirmed) {
            return Ok(None);
        }
        let digits = Secret::new(format!("{:06}", u64::from_be_bytes(self.context.random()) % 1_000_000));
        let sealed = Sealed::seal(self.seal, CODE, digits.expose().as_bytes(), self.context);
        let (now, sends_left) = (self.now(), sends - 1);
        let expires_at = now.plus(LIFETIME);
        self.tx.execute(
            "INSERT INTO one_time_code (id, card, code, tries_left, sends_left, expires_at, confirmed, at) \
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (id) DO UPDATE SET code = $3, \
             sends_left = $5, expires_at = $6, at = $7",
            &[
                key.into(),
                card.into(),
                Value::Bytes(sealed.0),
                TRIES.into(),
                sends_left.into(),
                expires_at.micros().into(),
                now.micros().into(),
            ],
        )?;
        self.say("Code Sent", "a one-time code is on its way to the holder's phone");
        Ok(Some(CodeSent { expires_at, sends_left: sends_left as u8 }))
    }

    /// Checks what was typed in.
    pub(super) fn confirm_code(
        &mut self,
        key: &str,
        typed: &Secret<String>,
    ) -> Result<CodeCheck, IssuerError> {
        let Some(row) = self.code_row(key)? else { return Ok(CodeCheck::Expired) };
        let kept = row.code.open(self.seal, CODE)?;
        let is_right = equal(kept.expose(), typed.expose().as_bytes());
        if row.confirmed {
            let tries_left = row.tries_left as u8;
            return Ok(if is_right { CodeCheck::Confirmed } else { CodeCheck::Wrong { tries_left } });
        }
        if row.tries_left == 0 {
            return Ok(CodeCheck::Exhausted);
        }
        if self.now() >= row.expires_at {
            return Ok(CodeCheck::Expired);
        }
        if is_right {
            self.tx.execute("UPDATE one_time_code SET confirmed = 1 WHERE id = $1", &[key.into()])?;
            self.say("Code Confirmed", "the code that was typed in is the one that was sent");
            return Ok(CodeCheck::Confirmed);
        }
        self.tx
            .execute("UPDATE one_time_code SET tries_left = tries_left - 1 WHERE id = $1", &[key.into()])?;
        self.say("Code Wrong", "a try is spent");
        Ok(match row.tries_left - 1 {
            0 => CodeCheck::Exhausted,
            left => CodeCheck::Wrong { tries_left: left as u8 },
        })
    }

    /// What the phone of a card's holder shows: the newest code, while it is good.
    pub(super) fn code_on_phone(&mut self, pan: &Pan) -> Result<Option<Secret<String>>, IssuerError> {
        let Some(card) = self.known_card(pan)? else { return Ok(None) };
        let rows = self.tx.query(
            "SELECT code FROM one_time_code WHERE card = $1 AND expires_at > $2 AND tries_left > 0 \
             ORDER BY confirmed, at DESC, id DESC LIMIT 1",
            &[card.id.into(), self.now().micros().into()],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        let code = Sealed(row.bytes(0)?.to_vec()).open(self.seal, CODE)?;
        Ok(Some(Secret::new(String::from_utf8_lossy(code.expose()).into_owned())))
    }

    fn code_row(&mut self, key: &str) -> Result<Option<CodeRow>, IssuerError> {
        let rows = self.tx.query_locked(
            "SELECT code, tries_left, sends_left, expires_at, confirmed FROM one_time_code WHERE id = $1",
            &[key.into()],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(CodeRow {
            code: Sealed(row.bytes(0)?.to_vec()),
            tries_left: row.int(1)?,
            sends_left: row.int(2)?,
            expires_at: Timestamp::from_micros(row.int(3)?),
            confirmed: row.int(4)? != 0,
        }))
    }
}
