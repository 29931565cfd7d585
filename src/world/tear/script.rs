//! An issuer's script that is changed on its way: the card refuses it.

use crate::air::link::{Endpoint, Interface, LinkError};
use crate::base::context::Context;
use crate::base::event::Event;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a script was to be changed on its way, and was; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct ScriptControl(Arc<(AtomicBool, AtomicBool)>);

impl ScriptControl {
    /// Changes the next script, or none.
    pub fn arm(&self, armed: bool) {
        self.0.0.store(armed, Ordering::Relaxed);
        self.0.1.store(false, Ordering::Relaxed);
    }

    /// Whether one was changed since it was armed.
    pub fn has_changed(&self) -> bool {
        self.0.1.load(Ordering::Relaxed)
    }

    /// Changes the last byte of the data, which is the script's MAC.
    fn change(&self, command: &[u8]) -> Option<Vec<u8>> {
        let is_script = matches!(command, [0x04 | 0x84, _, _, _, length, ..] if *length > 0);
        let last = 4 + usize::from(*command.get(4)?);
        if !is_script || last >= command.len() || !self.0.0.swap(false, Ordering::Relaxed) {
            return None;
        }
        self.0.1.store(true, Ordering::Relaxed);
        let mut changed = command.to_vec();
        changed[last] ^= 0x01;
        Some(changed)
    }
}

/// Wraps a card.
pub struct ChangedScript<E> {
    card: E,
    control: ScriptControl,
}

impl<E: Endpoint> ChangedScript<E> {
    /// Wraps a card; `control` changes its script.
    pub fn new(card: E, control: ScriptControl) -> Self {
        Self { card, control }
    }
}

impl<E: Endpoint> Endpoint for ChangedScript<E> {
    fn place(&self) -> String {
        self.card.place()
    }

    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
        self.card.power_on(interface, context)
    }

    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        let changed = self.control.change(command);
        if changed.is_some() {
            context.emit(Event::new("link", "script changed on its way"));
        }
        self.card.process(changed.as_deref().unwrap_or(command), context)
    }
}
