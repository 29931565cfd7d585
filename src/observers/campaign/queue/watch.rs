//! Who has given no sign of life for too long. Machines do not agree on the time, so nobody
//! compares clocks: each who waits counts on his own how long a sign has not changed.

use std::collections::BTreeMap;

/// The last sign of life of something that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sign {
    /// Which claim, and how many signs came under it.
    pub(super) count: (i64, i64),
    /// For how long none may come, milliseconds.
    pub(super) patience_ms: i64,
}

/// What was seen, and since when it has not changed.
#[derive(Debug)]
pub(super) struct Watch<K> {
    seen: BTreeMap<K, (Sign, i64)>,
    looked_at: Option<i64>,
}

impl<K> Default for Watch<K> {
    fn default() -> Self {
        Self { seen: BTreeMap::new(), looked_at: None }
    }
}

impl<K: Ord + Clone> Watch<K> {
    /// Takes note of all signs at a time, microseconds, and gives those that have not
    /// changed for longer than their patience. Who did not look himself for half of that
    /// time, since the store was away or he was asleep, begins to count anew: whom he
    /// watches may have been cut off with him.
    pub(super) fn look(&mut self, signs: impl IntoIterator<Item = (K, Sign)>, now: i64) -> Vec<K> {
        let gap = self.looked_at.map_or(0, |looked_at| now - looked_at);
        self.looked_at = Some(now);
        let before = std::mem::take(&mut self.seen);
        let mut silent = Vec::new();
        for (key, sign) in signs {
            let known = before.get(&key).filter(|(known, _)| *known == sign);
            let known = known.filter(|_| gap <= sign.patience_ms * 500);
            let since = known.map_or(now, |(_, since)| *since);
            if now - since > sign.patience_ms * 1000 {
                silent.push(key.clone());
            }
            self.seen.insert(key, (sign, since));
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn sign(lease: i64, beats: i64) -> (&'static str, Sign) {
        ("job", Sign { count: (lease, beats), patience_ms: 4_000 })
    }

    #[test]
    fn silence_is_counted_from_the_last_sign_that_was_seen() {
        let mut watch = Watch::default();
        for (second, beats) in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 2), (5, 2), (6, 2)] {
            assert!(watch.look([sign(1, beats)], second * SECOND).is_empty(), "second {second}");
        }
        assert_eq!(watch.look([sign(1, 2)], 6 * SECOND + 1), ["job"]);
        assert!(watch.look([sign(2, 0)], 7 * SECOND).is_empty(), "another claim is another sign");
    }

    #[test]
    fn who_was_cut_off_himself_counts_anew() {
        let mut watch = Watch::default();
        assert!(watch.look([sign(1, 1)], 0).is_empty());
        assert!(watch.look([sign(1, 1)], 60 * SECOND).is_empty());
        assert!(watch.look([sign(1, 1)], 62 * SECOND).is_empty());
        assert!(watch.look([sign(1, 1)], 64 * SECOND).is_empty());
        assert_eq!(watch.look([sign(1, 1)], 66 * SECOND), ["job"]);
    }
}
