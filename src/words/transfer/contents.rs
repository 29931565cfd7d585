//! What is signed in a transfer: offer, agreement, receipts, withdrawal. Numbers are
//! unsigned, most significant byte first; times are seconds since 1970; amounts n12, with
//! the currency in n3 behind them.

use super::signed::Contents;
use super::{HostId, PhoneId, Signed, TransferFormatError};
use crate::base::bytes::{Cursor, Hex, bcd_to_u64};
use crate::base::crypto::sm3;
use crate::base::env::Timestamp;
use crate::words::iso4217::{Amount, Currency};
use std::fmt;

/// A transfer: the SM3 of its offer. One offer is for one payer, so it has one agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub [u8; 32]);

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Hex(&self.0))
    }
}

/// What a payee offers one payer to agree to. Signed by the payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The host of both.
    pub host: HostId,
    /// Who is to get the money.
    pub payee: PhoneId,
    /// Who is to pay it.
    pub payer: PhoneId,
    /// Never the same twice.
    pub nonce: [u8; 8],
    /// How much.
    pub amount: Amount,
    /// When it was made, by the payee's clock.
    pub made: Timestamp,
    /// Until when it may be agreed to.
    pub expires: Timestamp,
}

impl Offer {
    /// The transfer that it begins.
    pub fn id(&self) -> TransferId {
        TransferId(sm3(&[Self::NAME.as_bytes(), &self.bytes()]))
    }
}

impl Contents for Offer {
    const NAME: &'static str = "offer";

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.host.0);
        out.extend(self.payee.0);
        out.extend(self.payer.0);
        out.extend(self.nonce);
        put_amount(self.amount, out);
        out.extend(seconds(self.made));
        out.extend(seconds(self.expires));
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TransferFormatError> {
        Ok(Self {
            host: HostId(cursor.array("a host's identifier")?),
            payee: PhoneId(cursor.array("the payee")?),
            payer: PhoneId(cursor.array("the payer")?),
            nonce: cursor.array("a nonce")?,
            amount: read_amount(cursor)?,
            made: read_time(cursor)?,
            expires: read_time(cursor)?,
        })
    }
}

/// That the payer agrees to an offer. Signed by the payer, about the transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// The payer's own count of what it has agreed to, from 1.
    pub sequence: u32,
    /// When, by the payer's clock.
    pub made: Timestamp,
}

impl Contents for Agreement {
    const NAME: &'static str = "agreement";

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.sequence.to_be_bytes());
        out.extend(seconds(self.made));
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TransferFormatError> {
        let sequence = u32::from_be_bytes(cursor.array("a sequence number")?);
        Ok(Self { sequence, made: read_time(cursor)? })
    }
}

/// That the payee keeps the agreement. Signed by the payee, about the transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneReceipt {
    /// When, by the payee's clock.
    pub made: Timestamp,
}

/// That the payee does not want the money of an offer any more, unless it is booked
/// already. Signed by the payee, about the transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawal {
    /// When, by the payee's clock.
    pub made: Timestamp,
}

macro_rules! only_a_time {
    ($name:ident, $words:literal) => {
        impl Contents for $name {
            const NAME: &'static str = $words;

            fn write(&self, out: &mut Vec<u8>) {
                out.extend(seconds(self.made));
            }

            fn read(cursor: &mut Cursor<'_>) -> Result<Self, TransferFormatError> {
                Ok(Self { made: read_time(cursor)? })
            }
        }
    };
}

only_a_time!(PhoneReceipt, "phone's receipt");
only_a_time!(Withdrawal, "withdrawal");

/// What became of a transfer; never another thing later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostOutcome {
    /// The money has moved, once.
    Booked,
    /// It has not and will not: refused by a rule, or withdrawn by the payee.
    Refused,
}

/// What became of a transfer. Signed by the host, about the transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostReceipt {
    /// What.
    pub outcome: HostOutcome,
    /// The response code that says why (F39).
    pub code: [u8; 2],
    /// When it was decided, by the host's clock.
    pub made: Timestamp,
}

impl Contents for HostReceipt {
    const NAME: &'static str = "host's receipt";

    fn write(&self, out: &mut Vec<u8>) {
        out.push(match self.outcome {
            HostOutcome::Booked => 1,
            HostOutcome::Refused => 2,
        });
        out.extend(self.code);
        out.extend(seconds(self.made));
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TransferFormatError> {
        let offset = cursor.offset();
        let outcome = match cursor.byte("an outcome")? {
            1 => HostOutcome::Booked,
            2 => HostOutcome::Refused,
            other => {
                let (expected, found) = ("outcome 1 or 2", format!("{other}"));
                return Err(TransferFormatError::Malformed { expected, found, offset });
            }
        };
        Ok(Self { outcome, code: cursor.array("a response code")?, made: read_time(cursor)? })
    }
}

impl Signed<Offer> {
    /// The transfer that it begins.
    pub fn id(&self) -> TransferId {
        self.contents.id()
    }
}

/// A time as it is written: to the second, 1970 to 2106.
pub(super) fn seconds(at: Timestamp) -> [u8; 4] {
    u32::try_from(at.micros().div_euclid(1_000_000)).unwrap_or(u32::MAX).to_be_bytes()
}

/// A time as it is read.
pub(super) fn read_time(cursor: &mut Cursor<'_>) -> Result<Timestamp, TransferFormatError> {
    let seconds = u32::from_be_bytes(cursor.array("a time")?);
    Ok(Timestamp::from_micros(i64::from(seconds) * 1_000_000))
}

/// An amount as it is written.
pub(super) fn put_amount(amount: Amount, out: &mut Vec<u8>) {
    out.extend(amount.to_bcd());
    out.extend(amount.currency.to_bcd());
}

/// An amount as it is read.
pub(super) fn read_amount(cursor: &mut Cursor<'_>) -> Result<Amount, TransferFormatError> {
    let offset = cursor.offset();
    let digits: [u8; 6] = cursor.array("an amount")?;
    let currency: [u8; 2] = cursor.array("a currency")?;
    let minor = bcd_to_u64(&digits).ok();
    let amount =
        minor.zip(Currency::from_bcd(&currency)).map(|(minor, currency)| Amount::new(minor, currency));
    amount.ok_or_else(|| TransferFormatError::Malformed {
        expected: "twelve digits of an amount and three of a currency",
        found: format!("{} {}", Hex(&digits), Hex(&currency)),
        offset,
    })
}
