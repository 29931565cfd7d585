//! How rides of a bank card are charged together, as data: how long they are gathered, and up to
//! what. Which ride joins which may not enter.

use super::error::LineError;
use crate::base::env::Timestamp;
use crate::words::iso4217::Amount;
use serde::Deserialize;
use std::time::Duration;

/// An hour, microseconds.
const HOUR: i64 = 3_600_000_000;
/// The longest that rides are gathered: what is held for them is the cardholder's until then.
const MOST_HOURS: u64 = 336;

/// How rides of a bank card are charged together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// Rides are gathered for so many hours from the first, 1 to 336; without it, until the
    /// service day ends.
    pub hours: Option<u64>,
    /// So many rides at most.
    pub most_rides: u64,
    /// What the card signs and its issuer holds, minor units: the rides come to no more.
    pub nominal_minor: u64,
    /// Whether the issuer is asked to hold it after the first ride; else as the rides end.
    pub ask_first: bool,
}

impl Aggregation {
    pub(super) fn check(&self, fare_minor: u64) -> Result<(), LineError> {
        let wrong = |field, expected, found: String| Err(LineError::Value { field, expected, found });
        match () {
            () if self.hours.is_some_and(|hours| !(1..=MOST_HOURS).contains(&hours)) => {
                wrong("aggregation.hours", "1 to 336", self.hours.unwrap_or(0).to_string())
            }
            () if self.most_rides == 0 => wrong("aggregation.most_rides", "1 or more", "0".into()),
            () if !(fare_minor..=Amount::MAX_MINOR).contains(&self.nominal_minor) => wrong(
                "aggregation.nominal_minor",
                "the fare at least, 999999999999 at most",
                self.nominal_minor.to_string(),
            ),
            () => Ok(()),
        }
    }

    /// When rides that begin to be gathered now are no longer.
    pub(super) fn end(&self, day_begins_hour: u8, now: Timestamp) -> Timestamp {
        match self.hours {
            Some(hours) => now.plus(Duration::from_secs(hours.saturating_mul(3600))),
            None => {
                let next = service_day(day_begins_hour, now).saturating_add(1);
                let begin = i64::from(day_begins_hour) * HOUR;
                Timestamp::from_micros(next.saturating_mul(24 * HOUR).saturating_add(begin))
            }
        }
    }

    /// Whether no further ride of this fare fits beside so many that come to so much.
    pub(super) const fn is_full(&self, rides: u64, sum_minor: u64, fare_minor: u64) -> bool {
        rides >= self.most_rides || sum_minor.saturating_add(fare_minor) > self.nominal_minor
    }
}

/// The service day of a time, counted from some day on; it begins at this hour, UTC.
pub(super) fn service_day(day_begins_hour: u8, at: Timestamp) -> i64 {
    at.micros().saturating_sub(i64::from(day_begins_hour) * HOUR).div_euclid(24 * HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Aggregation =
        Aggregation { hours: None, most_rides: 3, nominal_minor: 1000, ask_first: true };

    #[test]
    fn a_period_ends_with_the_service_day_or_after_its_hours() {
        let at = |hour: i64| Timestamp::from_micros(hour * HOUR);
        for (begun, ends) in [(44, 68), (67, 68), (68, 92), (19, 20), (20, 44)] {
            assert_eq!(RULES.end(20, at(begun)), at(ends), "{begun}");
        }
        assert_eq!(RULES.end(0, at(23)), at(24));
        assert_eq!(Aggregation { hours: Some(5), ..RULES }.end(20, at(44)), at(49));
    }

    #[test]
    fn it_is_full_by_rides_or_by_the_sum() {
        assert!(!RULES.is_full(2, 400, 200));
        assert!(RULES.is_full(3, 600, 200));
        assert!(!RULES.is_full(1, 800, 200), "1000 fits");
        assert!(RULES.is_full(1, 801, 200));
    }
}
