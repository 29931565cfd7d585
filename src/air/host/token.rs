//! What a wallet and the issuer's people say to a token service and hear back, and
//! the host that a token service may stand in front of. No vault may enter.

use super::{Answer, Holder, Host, HostError, PreparedCard, Request};
use super::{CodeCheck, CodeSent};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::words::emv::Pan;
use crate::words::pboc::VerifiedCryptogram;
use std::fmt;

/// Who asks for tokens: 11 digits, three of the token service and eight of the
/// requestor (9F19).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestorId(String);

impl RequestorId {
    /// From its digits; `None` where they are not 11.
    pub fn new(digits: &str) -> Option<Self> {
        let fits = digits.len() == 11 && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| Self(digits.to_owned()))
    }

    /// From eleven digits, each as a number; above 9 counts as 9.
    pub fn of(digits: [u8; 11]) -> Self {
        Self(digits.iter().map(|digit| char::from(b'0' + digit.min(&9))).collect())
    }

    /// Its digits.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// On whose word a token changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// A wallet, which sees the tokens it requested and no other.
    Wallet(RequestorId),
    /// The issuer, which sees all.
    Issuer,
}

/// One card on its way into one device. The requestor chooses the id, writes it down
/// first, and uses it for every step and every repeat.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProvisioningId {
    /// Who asks.
    pub requestor: RequestorId,
    /// 1 to 64 characters, used once.
    pub id: String,
}

/// The name of a token, which pays for nothing: 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenReference(pub String);

/// Where the keys of a token live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// In a secure element: the card's own key.
    SecureElement,
    /// In the phone's memory: limited-use keys, replenished by the service.
    LimitedUse,
}

/// Asks whether a card can go into a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EligibilityRequest {
    /// Names this provisioning.
    pub provisioning: ProvisioningId,
    /// The device, as the requestor names it, 1 to 64 characters.
    pub device: String,
    /// How far the requestor trusts the device, 1 (not) to 5 (fully).
    pub device_score: u8,
    /// Where the token's keys will live.
    pub keys: KeyKind,
    /// The physical card.
    pub pan: Pan,
}

/// A card that can go into the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eligibility {
    /// The terms that the holder must accept, by name.
    pub terms: String,
    /// The last four digits of the PAN.
    pub last_four: String,
}

/// How a decision comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colour {
    /// Go on at once.
    Green,
    /// Identify the holder by a code first.
    Yellow,
    /// Refused.
    Red,
}

/// A decision and the rules that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// How it comes out.
    pub colour: Colour,
    /// The names of the rules that apply, those that decided first.
    pub reasons: Vec<String>,
}

/// How far a provisioning has come: what was last done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProvisioningState {
    /// The card can go into the device; the terms are not accepted.
    Eligible,
    /// The terms are accepted; nothing is decided.
    Accepted,
    /// Yellow: a code must be confirmed.
    Identifying,
    /// Green, or the code is confirmed; there is no token.
    Approved,
    /// The token is made and pays for nothing.
    TokenMade,
    /// The device has its data; the token still pays for nothing.
    Personalised,
    /// Done: the token is active.
    Activated,
    /// Ended by a decision or a code; there is no token.
    Refused,
    /// Rolled back; a token that had been made is terminated.
    Abandoned,
}

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenState {
    /// Made, not activated.
    Requested,
    /// It pays.
    Active,
    /// Suspended by its holder, who may resume it.
    Suspended,
    /// Suspended by the issuer or with a lost device: only the issuer resumes it.
    Held,
    /// Gone for good.
    Terminated,
}

impl TokenState {
    /// Its word, in the vault and for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Held => "held",
            Self::Terminated => "terminated",
        }
    }
}

impl std::fmt::Display for TokenState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// A verb of a token's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenVerb {
    /// Pays no more until it is resumed.
    Suspend,
    /// Pays again.
    Resume,
    /// Gone for good.
    Remove,
}

/// A token as those may see it who may ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenView {
    /// Its name.
    pub reference: TokenReference,
    /// How it stands.
    pub state: TokenState,
    /// Who requested it.
    pub requestor: RequestorId,
    /// The device, as the requestor names it.
    pub device: String,
    /// The last four digits of the token.
    pub token_last_four: String,
    /// The last four digits of the physical card.
    pub last_four: String,
    /// The payment account reference (9F24), which stays when the card is replaced.
    pub par: String,
    /// Last day on which it pays, YYYYMMDD.
    pub expiry: i64,
}

/// What a device stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personalisation {
    /// The token.
    pub token: TokenView,
    /// Its card data.
    pub card: PreparedCard,
    /// The first limited-use key, where it has such; the card data hold it too.
    pub limited_use_key: Option<LimitedUseKey>,
}

/// A key that signs a few payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitedUseKey {
    /// Its number, from 1.
    pub sequence: u32,
    /// The key of application cryptograms.
    pub key: Secret<[u8; 16]>,
    /// How many payments it signs.
    pub uses: u32,
    /// What they may come to, minor units of the token's first currency.
    pub amount_minor: u64,
    /// Until when it signs.
    pub expires_at: Timestamp,
}

/// Why a token service did not do what it was asked. Nothing of it is kept, but for
/// what the state of a provisioning says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// By a rule, which is named.
    #[error("refused: {reason}")]
    Refused {
        /// The rule.
        reason: String,
    },
    /// The asker has no such token or provisioning.
    #[error("expected a {what} of this requestor, found none: check its name")]
    Unknown {
        /// `token` or `provisioning`.
        what: &'static str,
    },
    /// The step does not follow from where things stand.
    #[error("cannot {step} now: {reason}")]
    State {
        /// The step.
        step: &'static str,
        /// Where things stand, and what would help.
        reason: &'static str,
    },
    /// A field of the request that cannot be what it says.
    #[error("expected {expected}, found {found}")]
    Field {
        /// What was expected.
        expected: &'static str,
        /// What came, without card data.
        found: String,
    },
    /// The store, the issuer or the bureau failed; the same step may be asked for again.
    #[error("the token service could not finish: {cause}; ask for the same step again")]
    Failed {
        /// What it said.
        cause: String,
    },
}

/// A token service. Every step may be asked for twice and acts once.
pub trait TokenService: Send {
    /// First step: whether the card can go into the device.
    fn check_eligibility(
        &mut self,
        request: &EligibilityRequest,
        context: &mut Context,
    ) -> Result<Eligibility, TokenError>;

    /// Second: the holder accepts the terms and says who they are; the rules decide.
    fn accept_terms(
        &mut self,
        provisioning: &ProvisioningId,
        terms: &str,
        holder: &Holder,
        context: &mut Context,
    ) -> Result<Decision, TokenError>;

    /// Where the decision is yellow: the issuer sends a code, or sends it again.
    fn send_code(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<CodeSent, TokenError>;

    /// The holder types the code in.
    fn confirm_code(
        &mut self,
        provisioning: &ProvisioningId,
        code: &Secret<String>,
        context: &mut Context,
    ) -> Result<CodeCheck, TokenError>;

    /// Third: the token is made, and what the device stores is prepared. Asked for
    /// again before activation, it gives the same data for the same token.
    fn make_token(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<Personalisation, TokenError>;

    /// Fourth: the device has stored everything.
    fn personalised(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<(), TokenError>;

    /// Last: the token pays from now on, and an older one of the card on the device
    /// does not.
    fn activate(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<TokenView, TokenError>;

    /// Rolls a provisioning back that is not activated.
    fn abandon(&mut self, provisioning: &ProvisioningId, context: &mut Context) -> Result<(), TokenError>;

    /// How far a provisioning has come.
    fn progress(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<ProvisioningState, TokenError>;

    /// Suspends, resumes or removes a token.
    fn change(
        &mut self,
        token: &TokenReference,
        verb: TokenVerb,
        by: &Party,
        context: &mut Context,
    ) -> Result<TokenView, TokenError>;

    /// Holds every token on a lost device. `requestor` is whose device it is.
    fn lost_device(
        &mut self,
        requestor: &RequestorId,
        device: &str,
        by: &Party,
        context: &mut Context,
    ) -> Result<Vec<TokenView>, TokenError>;

    /// Gives a token a later expiry, and the device new data for it.
    fn renew(
        &mut self,
        token: &TokenReference,
        by: &Party,
        context: &mut Context,
    ) -> Result<Personalisation, TokenError>;

    /// Asks the issuer what has become of a card: the tokens of a replaced one move to
    /// its successor, those of a cancelled one are terminated. Tells the tokens that
    /// the asker may see.
    fn card_changed(
        &mut self,
        pan: &Pan,
        by: &Party,
        context: &mut Context,
    ) -> Result<Vec<TokenView>, TokenError>;

    /// The next limited-use key after number `after`; asked for again, the same.
    fn replenish(
        &mut self,
        token: &TokenReference,
        after: u32,
        by: &Party,
        context: &mut Context,
    ) -> Result<LimitedUseKey, TokenError>;

    /// The tokens that the asker may see, oldest first.
    fn tokens(&mut self, by: &Party, context: &mut Context) -> Result<Vec<TokenView>, TokenError>;
}

/// A host that a token service may stand in front of. A terminal never holds one: it
/// holds a [`Host`], so no message of a terminal can claim what is said here.
pub trait FundingHost: Host {
    /// Decides on a request whose PAN was a token. The request carries the physical
    /// card's PAN; `verified` is the token's cryptogram, which the token service has
    /// checked, with the keys that the answer to it is made with.
    fn authorise_for_token(
        &mut self,
        request: &Request,
        verified: &VerifiedCryptogram,
        context: &mut Context,
    ) -> Result<Answer, HostError>;
}

impl fmt::Display for RequestorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TokenReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
