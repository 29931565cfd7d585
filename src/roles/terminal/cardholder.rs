//! The person at the terminal: command line, script and world implement it.

use super::message::Message;
use crate::base::bytes::Secret;
use crate::words::emv::Pan;
use crate::words::iso4217::Amount;
use crate::words::iso7816::Aid;

/// What a PIN is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinPrompt {
    /// The card; printed, it is masked.
    pub pan: Pan,
    /// What is moved.
    pub amount: Amount,
    /// Who compares it.
    pub check: PinCheck,
    /// Which time it is asked for in this transaction, from 1. After a wrong PIN it is
    /// asked for again.
    pub attempt: usize,
}

/// Who compares a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinCheck {
    /// The issuer, over the line.
    Online,
    /// The card itself. Each wrong PIN costs one of its tries.
    Offline {
        /// How many are left, where the card tells.
        tries_left: Option<u8>,
    },
}

/// An application as a person is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationName {
    /// Its identifier.
    pub aid: Aid,
    /// Its preferred name (9F12), else its label (50), else its identifier; without
    /// control characters.
    pub text: String,
}

/// The person at the terminal.
pub trait Cardholder: Send {
    /// Enters a PIN; `None` when the person gives up.
    fn enter_pin(&mut self, prompt: &PinPrompt) -> Option<Secret<String>>;

    /// Chooses one of several applications, the card's most preferred one first; `None`
    /// when the person gives up.
    fn choose(&mut self, applications: &[ApplicationName]) -> Option<usize>;

    /// Confirms the only application, where the card demands that.
    fn confirm(&mut self, application: &ApplicationName) -> bool;

    /// Sees a message, in a language of two letters (ISO 639-1).
    fn show(&mut self, message: Message, language: &str);

    /// Does as the message says and presents the same card again, as after a look at the
    /// phone; `false` when the person gives up.
    fn present_again(&mut self, _message: Message) -> bool {
        false
    }
}

/// Nobody is there: no PIN is entered, nothing chosen or confirmed.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoCardholder;

impl Cardholder for NoCardholder {
    fn enter_pin(&mut self, _prompt: &PinPrompt) -> Option<Secret<String>> {
        None
    }

    fn choose(&mut self, _applications: &[ApplicationName]) -> Option<usize> {
        None
    }

    fn confirm(&mut self, _application: &ApplicationName) -> bool {
        false
    }

    fn show(&mut self, _message: Message, _language: &str) {}
}

/// A person who knows one PIN and gives up when it is wrong, and takes what comes first.
impl Cardholder for Secret<String> {
    fn enter_pin(&mut self, prompt: &PinPrompt) -> Option<Secret<String>> {
        (prompt.attempt == 1).then(|| self.clone())
    }

    fn choose(&mut self, _applications: &[ApplicationName]) -> Option<usize> {
        Some(0)
    }

    fn confirm(&mut self, _application: &ApplicationName) -> bool {
        true
    }

    fn show(&mut self, _message: Message, _language: &str) {}
}
