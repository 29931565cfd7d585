//! What a tap has come to before it is kept. How it came to that may not enter.

use super::deny_list::DenyList;
use super::passage::Why;
use super::ride::Ride;
use crate::words::emv::Pan;

/// What a tap has come to before it is kept.
pub(super) struct Decision {
    pub(super) why: Why,
    pub(super) reason: String,
    pub(super) pan: Option<Pan>,
    /// What is still to be kept of a bank card's ride, and how it stands.
    pub(super) ride: Option<Ride>,
}

impl Decision {
    /// The gate opens, and all that is to be kept is kept.
    pub(super) const fn open(reason: String) -> Self {
        Self { why: Why::Authentic, reason, pan: None, ride: None }
    }

    /// It stays shut.
    pub(super) fn shut(why: Why, reason: impl Into<String>) -> Self {
        Self { why, reason: reason.into(), pan: None, ride: None }
    }

    /// The same, of a card.
    pub(super) fn of(self, pan: Pan) -> Self {
        Self { pan: Some(pan), ..self }
    }

    /// It stays shut: the list names the card.
    pub(super) fn denied(list: &DenyList) -> Self {
        Self::shut(Why::Denied, format!("version {} of the deny list names it", list.version()))
    }
}
