//! A kernel's row.

use super::kernel::KERNELS;
use crate::air::host::Entry;
use crate::air::link::Interface;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::session::{Flow, Terms};
use std::fmt;

/// A chart of phases.
#[derive(Clone, Copy)]
pub struct Kernel {
    /// Its name.
    pub name: &'static str,
    /// How it reads the card.
    pub mode: Entry,
    /// The first phase.
    pub(in crate::roles::terminal) begin: fn(Terms, &mut Context) -> Result<Next, TerminalError>,
}

impl Kernel {
    /// The kernel for a flow over an interface: a load takes the full path, a
    /// contactless payment the quick one.
    pub fn choose(flow: Flow, interface: Interface) -> &'static Self {
        let mode = match (interface, flow) {
            (Interface::Contact, _) => Entry::Contact,
            (Interface::Contactless, Flow::Pay) => Entry::ContactlessQuick,
            (Interface::Contactless, _) => Entry::ContactlessFull,
        };
        KERNELS.iter().find(|kernel| kernel.mode == mode).unwrap_or(&KERNELS[0])
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({})", self.name)
    }
}
