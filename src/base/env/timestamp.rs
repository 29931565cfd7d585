//! A point in time and its civil date, as cards and messages write it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// Microseconds since 1970-01-01 00:00:00 UTC. Civil fields are in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From a civil date and time in UTC; `None` where there is no such date.
    pub fn from_civil(year: i32, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<Self> {
        let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
        let time = Time::from_hms(hour, minute, second).ok()?;
        let seconds = OffsetDateTime::new_in_offset(date, time, UtcOffset::UTC).unix_timestamp();
        Some(Self(seconds * 1_000_000))
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time and `duration` more.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Date as tag 9A has it: YYMMDD in BCD.
    pub fn yymmdd(self) -> [u8; 3] {
        let date = self.civil();
        [bcd(date.year().rem_euclid(100)), bcd(i32::from(u8::from(date.month()))), bcd(i32::from(date.day()))]
    }

    /// Time as tag 9F21 has it: HHMMSS in BCD.
    pub fn hhmmss(self) -> [u8; 3] {
        let civil = self.civil();
        [bcd(i32::from(civil.hour())), bcd(i32::from(civil.minute())), bcd(i32::from(civil.second()))]
    }

    /// The civil date as one number, YYYYMMDD.
    pub fn date_number(self) -> i64 {
        let civil = self.civil();
        i64::from(civil.year()) * 10_000 + i64::from(u8::from(civil.month())) * 100 + i64::from(civil.day())
    }

    fn civil(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1_000_000))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            c.year(),
            u8::from(c.month()),
            c.day(),
            c.hour(),
            c.minute(),
            c.second()
        )
    }
}

fn bcd(value: i32) -> u8 {
    let value = value.rem_euclid(100) as u8;
    ((value / 10) << 4) | (value % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_civil_fields() {
        let at = Timestamp::from_civil(2026, 11, 21, 9, 5, 7).unwrap();
        assert_eq!(at.yymmdd(), [0x26, 0x11, 0x21]);
        assert_eq!(at.hhmmss(), [0x09, 0x05, 0x07]);
        assert_eq!(at.date_number(), 20_261_121);
        assert_eq!(at.to_string(), "2026-11-21 09:05:07");
    }

    #[test]
    fn extremes_do_not_panic() {
        for micros in [i64::MIN, -1, 0, i64::MAX] {
            let _ = Timestamp::from_micros(micros).to_string();
            let _ = Timestamp::from_micros(micros).yymmdd();
        }
        assert!(Timestamp::from_civil(2026, 2, 30, 0, 0, 0).is_none());
    }
}
