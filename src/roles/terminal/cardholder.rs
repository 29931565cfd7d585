//! The person at the terminal: command line, script and world implement it.

use crate::base::bytes::Secret;
use crate::words::emv::Pan;
use crate::words::iso4217::Amount;

/// What a PIN is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinPrompt {
    /// The card; printed, it is masked.
    pub pan: Pan,
    /// What is moved.
    pub amount: Amount,
}

/// The person at the terminal.
pub trait Cardholder: Send {
    /// Enters an online PIN; `None` when the person gives up.
    fn enter_pin(&mut self, prompt: &PinPrompt) -> Option<Secret<String>>;
}

/// Nobody is there: no PIN is entered.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoCardholder;

impl Cardholder for NoCardholder {
    fn enter_pin(&mut self, _prompt: &PinPrompt) -> Option<Secret<String>> {
        None
    }
}

/// A person who knows the PIN.
impl Cardholder for Secret<String> {
    fn enter_pin(&mut self, _prompt: &PinPrompt) -> Option<Secret<String>> {
        Some(self.clone())
    }
}
