//! How long whoever speaks first waits for the other: as the standards have it for radio, and
//! longer, as a socket and a program are slower. Nothing of what is said enters.

use std::time::Duration;

/// How much longer than its waiting time a card or target on a socket may take.
pub(super) const GRACE: Duration = Duration::from_millis(100);
/// How long an answer to the last word is waited for: who is gone keeps nobody, and libnfc gives its
/// chip 350 ms for all of it.
pub(super) const PARTING: Duration = Duration::from_millis(50);
/// How often in a row more time is granted.
const MOST_EXTENSIONS: u16 = 600;
/// WTXM and RTOX have six bits; 0 and what is above 59 are not to be used.
const MOST_EXTENSION: u8 = 59;

/// How often more time was asked for in a row.
#[derive(Debug, Default)]
pub(super) struct Extensions(u16);

impl Extensions {
    /// How many waiting times are granted of those that are asked for; `None` where it has been too
    /// often.
    pub fn grant(&mut self, asked: u8) -> Option<u8> {
        self.0 += 1;
        (self.0 <= MOST_EXTENSIONS).then(|| asked.clamp(1, MOST_EXTENSION))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_granted_within_bounds() {
        let mut extensions = Extensions::default();
        assert_eq!([0, 1, 59, 60, 255].map(|asked| extensions.grant(asked)), [1, 1, 59, 59, 59].map(Some));
        let granted = std::iter::from_fn(|| extensions.grant(1)).count();
        assert_eq!(granted, usize::from(MOST_EXTENSIONS) - 5);
    }
}
