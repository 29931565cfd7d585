//! What carries the units of a touch, and what becomes of them; it remembers those of
//! earlier touches, as a thief would.

use super::fault::TouchFault;

/// The most touches that it remembers.
const TOUCHES: usize = 4;

/// The air of a world.
#[derive(Debug, Default)]
pub(super) struct Wire {
    earlier: Vec<Vec<Vec<u8>>>,
    now: Vec<Vec<u8>>,
    /// Whether the fault of this touch has happened.
    pub happened: bool,
}

impl Wire {
    /// Another touch begins.
    pub fn begin(&mut self) {
        let last = std::mem::take(&mut self.now);
        if !last.is_empty() {
            self.earlier.push(last);
        }
        if self.earlier.len() > TOUCHES {
            self.earlier.remove(0);
        }
        self.happened = false;
    }

    /// The lengths of the units of this touch, in bytes.
    pub fn lengths(&self) -> Vec<usize> {
        self.now.iter().map(Vec::len).collect()
    }

    /// What arrives of a unit; nothing any more where the phones part.
    pub fn carry(&mut self, number: usize, unit: Vec<u8>, fault: Option<TouchFault>) -> Option<Vec<u8>> {
        self.now.push(unit.clone());
        match fault {
            Some(TouchFault::Cut { unit }) if unit == number => {
                self.happened = true;
                None
            }
            Some(TouchFault::Torn { unit: at, .. }) if number > at => None,
            Some(TouchFault::Torn { unit: at, bytes } | TouchFault::Short { unit: at, bytes })
                if at == number =>
            {
                self.happened = true;
                Some(unit[..bytes.min(unit.len())].to_vec())
            }
            Some(TouchFault::Changed { unit: at, byte, bit }) if at == number => {
                self.happened = true;
                let mut changed = unit;
                let place = changed.len().saturating_sub(1 + byte % changed.len().max(1));
                if let Some(byte) = changed.get_mut(place) {
                    *byte ^= 1 << (bit & 7);
                }
                Some(changed)
            }
            Some(TouchFault::Replayed { unit: from }) if number >= from => {
                let recorded = self.earlier.iter().rev().find_map(|touch| touch.get(number));
                self.happened |= recorded.is_some();
                Some(recorded.cloned().unwrap_or(unit))
            }
            _ => Some(unit),
        }
    }
}
