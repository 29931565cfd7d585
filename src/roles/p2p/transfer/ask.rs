//! What a touch asks of those around it. The link goes on meanwhile, so nobody is in a hurry.

use crate::air::host::Request;
use crate::words::iso4217::Amount;
use crate::words::transfer::PhoneId;

/// What the payer's holder is shown, and confirms or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Who is to get the money, as the host certifies.
    pub payee_name: String,
    /// Their phone.
    pub payee: PhoneId,
    /// How much.
    pub amount: Amount,
}

/// What a touch asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The holder: answer with [`super::Touch::confirmed`].
    Confirm(Confirmation),
    /// The host: answer with [`super::Touch::host_answered`], whatever it says.
    Host(Box<Request>),
}
