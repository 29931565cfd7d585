//! The parameters of an outcome: EMV Contactless Book A 6.2. What the reader shows, and what
//! the person is to do.

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

/// Message Identifiers: Book A table 9-4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Message {
    /// 03.
    Approved,
    /// 07.
    NotAuthorised,
    /// 18.
    InsertOrSwipe,
    /// 1A.
    ApprovedSign,
    /// 1C.
    TryAnotherCard,
    /// 1D.
    InsertCard,
    /// 20.
    SeePhone,
    /// 21.
    PresentAgain,
}

impl Message {
    /// Its identifier.
    pub const fn identifier(self) -> u8 {
        match self {
            Self::Approved => 0x03,
            Self::NotAuthorised => 0x07,
            Self::InsertOrSwipe => 0x18,
            Self::ApprovedSign => 0x1A,
            Self::TryAnotherCard => 0x1C,
            Self::InsertCard => 0x1D,
            Self::SeePhone => 0x20,
            Self::PresentAgain => 0x21,
        }
    }

    /// What the person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::NotAuthorised => "not authorised",
            Self::InsertOrSwipe => "please insert or swipe the card",
            Self::ApprovedSign => "approved, please sign",
            Self::TryAnotherCard => "insert, swipe or try another card",
            Self::InsertCard => "please insert the card",
            Self::SeePhone => "see the phone for instructions, then present it again",
            Self::PresentAgain => "present the card again",
        }
    }
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
