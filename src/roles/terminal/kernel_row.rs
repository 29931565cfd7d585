//! A kernel's row.

use super::entry_point::ContactlessPath;
use super::kernel::{CONTACT, KERNELS};
use crate::air::host::Entry;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::step::application_selection::Selected;
use std::fmt;

/// A chart of phases, from the selected application to the outcome.
#[derive(Clone, Copy)]
pub struct Kernel {
    /// Its name.
    pub name: &'static str,
    /// Kernel ID, by which Entry Point finds it (tag 9F2A); none over contacts.
    pub identifier: Option<u8>,
    /// What the host is told of how the card is read.
    pub mode: Entry,
    /// The first phase.
    pub(in crate::roles::terminal) begin: fn(Selected, &mut Context) -> Result<Next, TerminalError>,
}

impl Kernel {
    /// The one for cards with contacts.
    pub(in crate::roles::terminal) const fn contact() -> &'static Self {
        CONTACT
    }

    /// The one that a combination names, for one of its paths, if it has more than one.
    pub(in crate::roles::terminal) fn of_combination(
        identifier: u8,
        path: ContactlessPath,
    ) -> Option<&'static Self> {
        let mut rows = KERNELS.iter().filter(|row| row.identifier == Some(identifier));
        rows.clone().find(|row| row.mode == path.entry()).or_else(|| rows.next())
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({})", self.name)
    }
}
