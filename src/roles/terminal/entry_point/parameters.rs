//! The parameters of an outcome: EMV Contactless Book A 6.2. What the reader shows, and what
//! the person is to do.

use super::Message;

/// What comes with a final outcome over contactless: Book A table 6-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// UI Request on Outcome: what the person reads.
    pub message: Message,
    /// CVM.
    pub cvm: OutcomeCvm,
    /// Alternate Interface Preference.
    pub alternate_interface: Option<AlternateInterface>,
    /// Receipt: whether one is wanted.
    pub receipt: bool,
}

/// How the cardholder is verified: Book A table 6-2, CVM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OutcomeCvm {
    /// Nobody has said.
    #[default]
    NotApplicable,
    /// No CVM.
    NoCvm,
    /// Online PIN.
    OnlinePin,
    /// Signature.
    Signature,
    /// Confirmation Code Verified: the consumer's device has verified its holder.
    DeviceVerified,
}

/// The interface that a card prefers to this one: Book A table 6-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlternateInterface {
    /// The contact chip.
    ContactChip,
}

impl OutcomeCvm {
    /// Its words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotApplicable => "not applicable",
            Self::NoCvm => "no CVM",
            Self::OnlinePin => "online PIN",
            Self::Signature => "signature",
            Self::DeviceVerified => "verified by the consumer's device",
        }
    }
}

impl AlternateInterface {
    /// Its words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ContactChip => "contact chip",
        }
    }
}
