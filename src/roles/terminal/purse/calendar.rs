//! Dates and times as purses write them: BCD digits that are a day of a calendar, or none.

use crate::base::bytes::bcd_to_u64;
use crate::words::pboc::{LogForm, PurseRecord};

/// BCD YYYYMMDD as `2024-02-29`, if that is a day of a calendar.
pub(super) fn date(bytes: &[u8]) -> Option<String> {
    let number = bcd_to_u64(bytes).ok()?;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let fits = year >= 1900 && is_day(month, day) && (leap || (month, day) != (2, 29));
    fits.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// Whether these are BCD hhmmss.
pub(super) fn is_time(time: [u8; 3]) -> bool {
    let parts = time.map(|part| bcd_to_u64(&[part]).unwrap_or(u64::MAX));
    parts[0] < 24 && parts[1] < 60 && parts[2] < 60
}

/// Whether date and time of a log's record are ones.
pub(super) fn is_dated(record: &PurseRecord, form: LogForm) -> bool {
    match form {
        LogForm::Standard => date(&record.date).is_some() && is_time(record.time),
        LogForm::ShortTime => {
            let [_, _, month, day] = record.date.map(|part| bcd_to_u64(&[part]).unwrap_or(u64::MAX));
            is_day(month, day) && is_time([record.time[0], record.time[1], 0])
        }
    }
}

/// Whether a month has such a day, in a leap year at least.
fn is_day(month: u64, day: u64) -> bool {
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_date_or_time_says_so() {
        assert_eq!(date(&[0x20, 0x24, 0x02, 0x29]), Some("2024-02-29".into()));
        for bytes in [[0x20, 0x23, 0x02, 0x29], [0x20, 0x24, 0x13, 0x01], [0x20, 0x24, 0x01, 0x00]] {
            assert_eq!(date(&bytes), None, "{bytes:02X?}");
        }
        assert!(date(&[0; 4]).is_none() && date(&[0xFF; 4]).is_none());
        assert!(is_time([0x23, 0x59, 0x59]));
        for time in [[0x24, 0, 0], [0, 0x60, 0], [0, 0, 0x60], [0x1A, 0, 0]] {
            assert!(!is_time(time), "{time:02X?}");
        }
    }
}
