//! What a token service asks the issuer of a card: who holds it, whether a code
//! reached their phone, what has become of the card. No token may enter.

use super::HostError;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::words::emv::Pan;

/// Three of the four elements by which a holder is known; the PAN is the fourth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The name as the issuer has it, 1 to 64 characters.
    pub name: Secret<String>,
    /// The identity document's number, 1 to 40 characters.
    pub identity_number: Secret<String>,
    /// The phone's number, 5 to 15 digits.
    pub phone: Secret<String>,
}

/// A card as its issuer names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundingCard {
    /// Its PAN.
    pub pan: Pan,
    /// PAN sequence number (5F34), 00 where it has none.
    pub psn: u8,
    /// Last day on which it can be used, YYYYMMDD.
    pub expiry: i64,
}

/// How a card stands at its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may be used.
    Good(FundingCard),
    /// It is blocked, and may be unblocked.
    Blocked(FundingCard),
    /// It is out of use for good, and nothing has taken its place.
    Cancelled,
    /// Another card of the same account has taken its place.
    ReplacedBy(FundingCard),
}

/// Whether the four elements belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementCheck {
    /// All four are those of one holder.
    Match,
    /// At least one is not. Which one is not told: that would help to guess.
    Mismatch,
}

/// A one-time code is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSent {
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
    /// How often it may still be sent again.
    pub sends_left: u8,
}

/// What became of a one-time code that was typed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeCheck {
    /// It is the code; a repeat of the right code says so again.
    Confirmed,
    /// It is not.
    Wrong {
        /// How many tries are left.
        tries_left: u8,
    },
    /// Its time is over: have it sent again.
    Expired,
    /// No try is left, and none will be.
    Exhausted,
}

/// What has happened to a binding of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingChange {
    /// It took effect.
    Bound,
    /// It ended.
    Released,
}

/// The issuer, as the one who knows holders and cards. The key of a code is the
/// asker's own name for it: under one key a code is sent again, not made twice.
pub trait Identity: Send {
    /// How a card stands; `None` where the issuer has no such card.
    fn standing(&mut self, pan: &Pan, context: &mut Context) -> Result<Option<Standing>, HostError>;

    /// Whether the four elements belong together.
    fn check(&mut self, pan: &Pan, holder: &Holder, context: &mut Context)
    -> Result<ElementCheck, HostError>;

    /// Sends a one-time code to the phone that the issuer has for the card; `None`
    /// where it may not be sent again.
    fn send_code(
        &mut self,
        key: &str,
        pan: &Pan,
        context: &mut Context,
    ) -> Result<Option<CodeSent>, HostError>;

    /// Checks a one-time code. A wrong one costs a try.
    fn confirm_code(
        &mut self,
        key: &str,
        code: &Secret<String>,
        context: &mut Context,
    ) -> Result<CodeCheck, HostError>;

    /// Takes note that a binding of a card took effect or ended. `binding` names it;
    /// told twice, it is noted once.
    fn binding_changed(
        &mut self,
        pan: &Pan,
        binding: &str,
        change: BindingChange,
        context: &mut Context,
    ) -> Result<(), HostError>;
}
