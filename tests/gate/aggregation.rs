//! Rides that are charged together: gathered by the line's rules, held, and taken in one message;
//! none is lost and none is paid twice, wherever the gate stops.

use super::kit::{FARE, Kit};
use cardwright::air::host::{Answer, Host, HostError, Kind, Request};
use cardwright::base::context::Context;
use cardwright::devices::gate::{Aggregation, Charged, Line, Standing, TapState, Why};
use cardwright::roles::issuer::Issuer;
use cardwright::words::iso4217::Currency;
use cardwright::world::tear::CrashPlan;

const HOUR: u64 = 3_600;
const RULES: Aggregation = Aggregation { hours: None, most_rides: 20, nominal_minor: 2_000, ask_first: true };

fn line(rules: Aggregation) -> Line {
    Line { aggregation: Some(rules), same_card_seconds: 0, ..Line::default() }
}

/// What merchants have, and what is held.
fn books(kit: &mut Kit) -> (u64, u64) {
    assert_eq!(kit.issuer.check(&mut kit.context).unwrap(), []);
    let books = kit.issuer.books(&mut kit.context).unwrap().of(Currency::CNY);
    (books.merchants_minor as u64, books.held_minor as u64)
}

/// Rides and sum of what is charged together, oldest first.
fn together(kit: &mut Kit) -> Vec<(u64, u64)> {
    let rides = kit.gate.book().rides(100).unwrap();
    let sums = rides.iter().rev().filter_map(|ride| match ride.charged {
        Charged::Together { rides, sum, .. } => Some((rides, sum.minor)),
        _ => None,
    });
    sums.collect()
}

/// A rule, what of the line is different, seconds before each ride, and what comes of that: rides
/// and sums that are charged together, and free rides.
type Row = (&'static str, Aggregation, Option<u64>, &'static [u64], &'static [(u64, u64)], u64);

#[test]
fn rides_are_gathered_as_the_line_says() {
    const MINUTE: u64 = 60;
    #[rustfmt::skip]
    let rows: &[Row] = &[
        ("one", RULES, None, &[0], &[(1, 200)], 0),
        ("a day", RULES, None, &[0, MINUTE, MINUTE], &[(3, 600)], 0),
        ("two days", RULES, None, &[0, MINUTE, 24 * HOUR, MINUTE], &[(2, 400), (2, 400)], 0),
        ("hours", Aggregation { hours: Some(2), ..RULES }, None, &[0, HOUR, HOUR - 1, 1], &[(3, 600), (1, 200)], 0),
        ("by their number", Aggregation { most_rides: 2, ..RULES }, None, &[0, MINUTE, MINUTE], &[(2, 400), (1, 200)], 0),
        ("each by itself", Aggregation { most_rides: 1, ..RULES }, None, &[0, MINUTE], &[(1, 200), (1, 200)], 0),
        ("by the sum", Aggregation { nominal_minor: 599, ..RULES }, None, &[0, MINUTE, MINUTE], &[(2, 400), (1, 200)], 0),
        ("just full", Aggregation { nominal_minor: 600, ..RULES }, None, &[0, MINUTE, MINUTE, MINUTE], &[(3, 600), (1, 200)], 0),
        ("the day's cap", RULES, Some(500), &[0, MINUTE, MINUTE, MINUTE, MINUTE], &[(3, 500)], 2),
        ("the cap of each day", RULES, Some(300), &[0, MINUTE, MINUTE, 24 * HOUR], &[(2, 300), (1, 200)], 1),
        ("asked at the end", Aggregation { ask_first: false, ..RULES }, None, &[0, MINUTE], &[(2, 400)], 0),
    ];
    let mut rider = Kit::new().rider(0);
    for (name, rules, cap, waits, expected, free) in rows {
        let mut own = Kit::with(Line { daily_cap_minor: *cap, ..line(*rules) });
        for wait in *waits {
            own.wait(*wait);
            assert!(own.tap(&mut rider).is_open(), "{name}");
        }
        assert_eq!(together(&mut own), *expected, "{name}");
        assert_eq!(own.standing(TapState::Free).taps, *free, "{name}");
    }
}

#[test]
fn what_is_held_after_the_first_ride_is_taken_by_the_sum_when_they_end() {
    for ask_first in [true, false] {
        let mut kit = Kit::with(line(Aggregation { ask_first, ..RULES }));
        let mut rider = kit.rider(10_000);
        for ride in 0..4 {
            kit.wait(60);
            assert!(kit.tap(&mut rider).is_open(), "ride {ride}");
            let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
            assert_eq!(done.asked, usize::from(ask_first && ride == 0), "ride {ride}");
        }
        let (state, held) = if ask_first { (TapState::Held, 2_000) } else { (TapState::Waiting, 0) };
        assert_eq!(kit.standing(state), Standing { taps: 4, minor: 4 * FARE });
        assert_eq!(books(&mut kit), (0, held));
        kit.restart();
        kit.wait(24 * HOUR);
        let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
        assert_eq!((done.asked, done.approved), (if ask_first { 1 } else { 2 }, 4), "{done:?}");
        assert_eq!(kit.standing(TapState::Approved), Standing { taps: 4, minor: 4 * FARE });
        assert_eq!(books(&mut kit), (4 * FARE, 0));
        assert_eq!(kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap().asked, 0);
    }
}

/// A card whose issuer does not hold the amount owes all its rides, is barred, and pays them once.
#[test]
fn what_is_not_held_is_owed_together_and_recovered_together() {
    let mut kit = Kit::with(line(Aggregation { ask_first: false, most_rides: 3, ..RULES }));
    let mut rider = kit.rider(1_999);
    for _ in 0..3 {
        kit.wait(60);
        assert!(kit.tap(&mut rider).is_open());
    }
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.asked, done.owed, done.held), (1, 3, 0), "{done:?}");
    assert!(!done.delta(&kit.gate.deny_list).add.is_empty());
    kit.wait(60);
    assert_eq!(kit.tap(&mut rider).why, Why::Owes);
    kit.wait(24 * HOUR);
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.asked, done.owed), (1, 3), "still short");
    kit.pay_in(&rider, 1);
    kit.wait(72 * HOUR);
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.asked, done.held, done.recovered), (2, 3, 3), "{done:?}");
    assert_eq!(kit.standing(TapState::Recovered), Standing { taps: 3, minor: 3 * FARE });
    assert_eq!(books(&mut kit), (3 * FARE, 0));
    assert!(kit.tap(&mut rider).is_open());
}

/// An issuer whose answers are lost after it has acted, one by one.
struct Lossy<'a> {
    issuer: &'a mut Issuer,
    loses: bool,
    told: Vec<Kind>,
}

impl Lossy<'_> {
    fn answer(&mut self, request: &Request, answer: Result<Answer, HostError>) -> Result<Answer, HostError> {
        self.told.push(request.kind);
        self.loses = !self.loses;
        if self.loses { answer } else { Err(HostError::NoAnswer { timeout_ms: 1 }) }
    }
}

impl Host for Lossy<'_> {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        let answer = self.issuer.authorise(request, context);
        self.answer(request, answer)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        let answer = self.issuer.advise(request, context);
        self.answer(request, answer)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.issuer.reverse(request, context)
    }
}

#[test]
fn a_lost_answer_is_asked_for_again_and_rides_join_meanwhile() {
    let mut kit = Kit::with(line(Aggregation { most_rides: 3, ..RULES }));
    let mut rider = kit.rider(10_000);
    let mut told = Vec::new();
    for _ in 0..3 {
        kit.wait(60);
        assert!(kit.tap(&mut rider).is_open());
        let mut host = Lossy { issuer: &mut kit.issuer, loses: true, told: Vec::new() };
        kit.gate.upload_all(&mut host, &mut kit.context).unwrap();
        told.extend(host.told);
    }
    for _ in 0..3 {
        kit.wait(60);
        let mut host = Lossy { issuer: &mut kit.issuer, loses: false, told: Vec::new() };
        kit.gate.upload_all(&mut host, &mut kit.context).unwrap();
        told.extend(host.told);
    }
    assert_eq!(told.first(), Some(&Kind::PreAuthorisation));
    assert_eq!(told.last(), Some(&Kind::PreAuthorisationCompletion));
    assert_eq!(kit.standing(TapState::Approved), Standing { taps: 3, minor: 3 * FARE });
    assert_eq!(books(&mut kit), (3 * FARE, 0));
}

/// The gate stops before and after each of its writes, and starts again: what is kept is paid once.
#[test]
fn a_gate_that_stops_at_any_write_loses_no_ride_and_takes_none_twice() {
    for ask_first in [true, false] {
        let mut kit = Kit::with(line(Aggregation { ask_first, most_rides: 3, ..RULES }));
        let mut rider = kit.rider(10_000_000);
        let (mut paid, mut crashes) = (0, 0);
        'writes: for write in 0.. {
            for committed in [false, true] {
                let crash = kit.restart_to_crash(CrashPlan { write, committed });
                let (mut opened, mut has_stopped) = (0, false);
                let mut upload = |kit: &mut Kit| {
                    let uploaded = kit.gate.upload_all(&mut kit.issuer, &mut kit.context);
                    if crash.is_dead() && !has_stopped {
                        has_stopped = true;
                        return kit.restart();
                    }
                    uploaded.unwrap();
                };
                for _ in 0..4 {
                    kit.wait(60);
                    opened += kit.try_tap(&mut rider).map_or(0, |passage| u64::from(passage.is_open()));
                    upload(&mut kit);
                }
                kit.wait(24 * HOUR);
                for _ in 0..3 {
                    upload(&mut kit);
                    kit.wait(HOUR);
                }
                if !has_stopped {
                    break 'writes;
                }
                let whole: u64 = TapState::ALL.iter().map(|state| kit.standing(*state).taps).sum();
                let kept = kit.standing(TapState::Approved);
                assert_eq!(whole, kept.taps, "{write} {committed}: every ride is paid");
                assert_eq!(books(&mut kit), (kept.minor, 0), "{write} {committed}");
                // Where it stopped after the write of a tap, that ride is kept and the gate stayed shut.
                let rides = kept.taps - paid;
                assert!(rides == opened || rides == opened + 1, "{write} {committed}: {rides} {opened}");
                paid = kept.taps;
                crashes += 1;
            }
        }
        assert!(crashes > 20, "{crashes}");
    }
}
