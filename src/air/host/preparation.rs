//! What a token service asks the bureau: an order for a card in a phone becomes
//! data groupings. No life cycle and no store may enter.

use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::words::emv::Pan;
use crate::words::globalplatform::Dgi;
use crate::words::tlv::TlvStore;

/// A card that is to be prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparationOrder {
    /// The number that the card shows: a token.
    pub pan: Pan,
    /// PAN sequence number, 5F34.
    pub psn: u8,
    /// Expiry, 5F24: BCD YYMMDD.
    pub expiry: [u8; 3],
    /// Effective date, 5F25: BCD YYMMDD.
    pub effective: [u8; 3],
    /// Elements of this card alone: 9F19, 9F24, 9F25, 9F63.
    pub data: TlvStore,
    /// The key of application cryptograms, where it is a limited-use key and not the
    /// card's own.
    pub limited_use_key: Option<Secret<[u8; 16]>>,
}

/// A card's data, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedCard {
    /// The application that takes them.
    pub aid: Vec<u8>,
    /// The groupings in the order in which they are stored.
    pub groupings: Vec<Dgi>,
}

/// Why a card was not prepared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bureau could not prepare the card: expected {expected}, found {found}")]
pub struct PreparationError {
    /// What the order or the template should hold.
    pub expected: &'static str,
    /// What it holds, without card data.
    pub found: String,
}

/// The bureau. The same order gives the same groupings.
pub trait Preparation: Send {
    /// Prepares a card.
    fn prepare(
        &mut self,
        order: &PreparationOrder,
        context: &mut Context,
    ) -> Result<PreparedCard, PreparationError>;
}
