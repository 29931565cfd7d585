//! The operator's rules about a card that is authentic: what it has done at this gate before.

use super::aggregation::service_day;
use super::book::Past;
use super::line::Line;
use super::passage::Why;
use super::state::TapState;
use crate::base::env::Timestamp;

/// Rides of a card that are looked at, the newest ones.
pub(super) const RIDES_LOOKED_AT: u32 = 64;

/// What speaks against one more ride of a bank card; `None` where nothing does.
pub(super) fn hindrance(line: &Line, past: &[Past], now: Timestamp) -> Option<(Why, String)> {
    hindrance_of_purse(line, past, now).or_else(|| first_rides(line, past))
}

/// The same of a purse, which pays before the gate opens.
pub(super) fn hindrance_of_purse(line: &Line, past: &[Past], now: Timestamp) -> Option<(Why, String)> {
    let owed = past.iter().filter(|ride| ride.state.bars()).count();
    if owed > 0 {
        return Some((Why::Owes, format!("{owed} rides of this card are not paid")));
    }
    let within = |seconds: u64| {
        let begin = now.micros().saturating_sub_unsigned(seconds.saturating_mul(1_000_000));
        past.iter().filter(move |ride| ride.at.micros() > begin)
    };
    if within(line.same_card_seconds).next().is_some() {
        let reason =
            format!("the same card passed within {} s: it is not charged again", line.same_card_seconds);
        return Some((Why::SameCard, reason));
    }
    for rule in &line.velocity {
        let rides = within(rule.seconds).count();
        if rides >= rule.most {
            return Some((
                Why::Velocity,
                format!("{rides} rides within {} s, at most {}", rule.seconds, rule.most),
            ));
        }
    }
    None
}

/// Whether the rides of a card whose issuer has not answered yet come to too much.
fn first_rides(line: &Line, past: &[Past]) -> Option<(Why, String)> {
    let answered =
        |ride: &Past| matches!(ride.state, TapState::Approved | TapState::Recovered | TapState::Held);
    if !past.iter().any(answered) {
        let unanswered = past.iter().filter(|ride| ride.state == TapState::Waiting);
        let unanswered = unanswered.fold(line.fare_minor, |sum, ride| sum.saturating_add(ride.amount_minor));
        let most = line.first_ride.most_unanswered_minor;
        if unanswered > most {
            let reason = format!(
                "its issuer has not answered yet, and {unanswered} minor units would be open, at most {most}"
            );
            return Some((Why::FirstRides, reason));
        }
    }
    None
}

/// Whether the day's cap leaves no room for another fare: then the ride is free. Never more
/// than the cap is charged.
pub(super) fn is_free(line: &Line, fare_minor: u64, past: &[Past], now: Timestamp) -> bool {
    rest_of_day(line, past, now) < fare_minor
}

/// What the day's cap leaves of a card's rides of this day, minor units.
pub(super) fn rest_of_day(line: &Line, past: &[Past], now: Timestamp) -> u64 {
    let Some(cap) = line.daily_cap_minor else { return u64::MAX };
    let day = |at| service_day(line.day_begins_hour, at);
    let charged = past.iter().filter(|ride| ride.state != TapState::Free && day(ride.at) == day(now));
    charged.fold(cap, |rest, ride| rest.saturating_sub(ride.amount_minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rides(states: &[(i64, TapState)]) -> Vec<Past> {
        let ride = |(seconds, state): &(i64, TapState)| Past {
            at: Timestamp::from_micros(seconds * 1_000_000),
            state: *state,
            amount_minor: 200,
        };
        states.iter().map(ride).collect()
    }

    /// Why a card is refused at 100000 s.
    fn why(states: &[(i64, TapState)]) -> Option<Why> {
        let now = Timestamp::from_micros(100_000 * 1_000_000);
        hindrance(&Line::default(), &rides(states), now).map(|found| found.0)
    }

    #[test]
    fn each_rule_holds_to_its_second_and_its_unit() {
        use TapState::{Approved, Lost, Owed, Recovered, Waiting};
        assert_eq!(why(&[]), None);
        assert_eq!(why(&[(99_991, Approved)]), Some(Why::SameCard));
        assert_eq!(why(&[(99_990, Approved)]), None);
        assert_eq!(why(&[(10, Owed), (20, Approved)]), Some(Why::Owes));
        assert_eq!(why(&[(10, Lost)]), Some(Why::Owes));
        assert_eq!(why(&[(10, Recovered)]), None);
        // 10.00 may be open: five rides of 2.00, the one at hand counted.
        let open = |count: i64| (0..count).map(|ride| (ride * 100, Waiting)).collect::<Vec<_>>();
        assert_eq!(why(&open(4)), None);
        assert_eq!(why(&open(5)), Some(Why::FirstRides));
        assert_eq!(why(&[open(5), vec![(9, Approved)]].concat()), None);
        let often = |count: i64| (0..count).map(|ride| (99_900 - ride * 60, Approved)).collect::<Vec<_>>();
        assert_eq!(why(&often(29)), None);
        assert_eq!(why(&often(30)), Some(Why::Velocity));
    }

    #[test]
    fn a_day_costs_no_more_than_its_cap() {
        let line = Line { daily_cap_minor: Some(500), day_begins_hour: 20, ..Line::default() };
        let at = |hour: i64| Timestamp::from_micros(hour * 3_600_000_000);
        let ride = |hour: i64, state| Past { at: at(hour), state, amount_minor: 200 };
        let (one, two) = (ride(45, TapState::Approved), ride(46, TapState::Waiting));
        assert!(!is_free(&line, 200, &[one], at(47)));
        assert!(is_free(&line, 200, &[one, two], at(47)), "6.00 would be above 5.00");
        assert!(is_free(&line, 200, &[one, two, ride(46, TapState::Free)], at(67)), "until 20:00");
        assert!(!is_free(&line, 200, &[one, two], at(68)), "a new day");
        assert!(!is_free(&line, 200, &[one, ride(43, TapState::Approved)], at(47)), "yesterday's");
        assert!(!is_free(&Line { daily_cap_minor: None, ..line }, 200, &[one, two], at(47)));
    }
}
