//! Rides: kept before the gate opens, asked about later, owed, and paid once.

use super::kit::{FARE, Kit};
use cardwright::air::host::{Answer, BatchTotals, Host, HostError, Request, ResponseCode};
use cardwright::air::link::{FaultPlan, FaultPoint};
use cardwright::base::context::Context;
use cardwright::base::store::SealKey;
use cardwright::devices::gate::{DenyList, Line, Standing, TapState, Why};
use cardwright::roles::card::Profile;
use cardwright::roles::issuer::Issuer;

const HOUR: u64 = 3_600;

/// A line on which so many answers are lost, after the issuer has acted.
struct Lossy<'a> {
    issuer: &'a mut Issuer,
    lost: usize,
    asked: usize,
}

impl Host for Lossy<'_> {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.asked += 1;
        let answer = self.issuer.authorise(request, context)?;
        match self.lost.checked_sub(1) {
            Some(left) => {
                self.lost = left;
                Err(HostError::NoAnswer { timeout_ms: 1 })
            }
            None => Ok(answer),
        }
    }

    fn advise(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
        Ok(Answer::new(ResponseCode::FORMAT_ERROR, "not asked here"))
    }

    fn reverse(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
        Ok(Answer::new(ResponseCode::FORMAT_ERROR, "not asked here"))
    }

    fn settle(&mut self, _: &BatchTotals, _: &mut Context) -> Result<Answer, HostError> {
        Ok(Answer::new(ResponseCode::FORMAT_ERROR, "not asked here"))
    }
}

fn merchants(kit: &mut Kit) -> i64 {
    kit.issuer.books(&mut kit.context).unwrap().of(cardwright::words::iso4217::Currency::CNY).merchants_minor
}

#[test]
fn a_ride_is_kept_before_the_gate_opens_and_survives_it() {
    let mut kit = Kit::new();
    let mut rider = kit.rider(10_000);
    assert!(kit.tap(&mut rider).is_open());
    kit.restart();
    assert_eq!(kit.standing(TapState::Waiting), Standing { taps: 1, minor: FARE });
    // It remembers who passed, and gives no number twice.
    kit.wait(1);
    let again = kit.tap(&mut rider);
    assert_eq!(again.why, Why::SameCard, "{}", again.reason);
    kit.wait(60);
    let second = kit.tap(&mut rider);
    assert!(second.is_open());
    assert_eq!(second.trace, (1, 2));
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.asked, done.approved), (2, 2));
    assert_eq!(merchants(&mut kit), 2 * FARE as i64);
    assert_eq!(kit.issuer.check(&mut kit.context).unwrap(), []);
}

#[test]
fn no_card_number_stands_on_the_disk() {
    let mut kit = Kit::new();
    let mut rider = kit.rider(10_000);
    assert!(kit.tap(&mut rider).is_open());
    for entry in std::fs::read_dir(kit.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let digits = rider.pan.expose().as_bytes();
        assert!(!bytes.windows(digits.len()).any(|window| window == digits));
        let packed: Vec<u8> = digits.chunks(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect();
        assert!(!bytes.windows(packed.len()).any(|window| window == packed));
    }
    assert!(kit.events.events().iter().all(|event| !event.reason.contains(rider.pan.expose())));
}

#[test]
fn a_pulled_card_is_charged_nothing_at_any_exchange() {
    let mut kit = Kit::new();
    let mut rider = kit.rider(10_000);
    let mut exchanges = 0;
    loop {
        let plan = FaultPlan { exchange: exchanges, point: FaultPoint::AnswerLost };
        let passage = kit.tap_pulled(&mut rider, Some(plan));
        if passage.is_open() {
            break;
        }
        assert_eq!(passage.why, Why::Gone, "{}", passage.reason);
        assert_eq!(kit.standing(TapState::Waiting).taps, 0);
        exchanges += 1;
        kit.wait(1);
    }
    assert!(exchanges >= 7, "{exchanges}");
    assert_eq!(kit.standing(TapState::Waiting).taps, 1);
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again_and_acts_once() {
    let mut kit = Kit::new();
    let mut rider = kit.rider(10_000);
    assert!(kit.tap(&mut rider).is_open());
    let mut host = Lossy { issuer: &mut kit.issuer, lost: 2, asked: 0 };
    for (pause, asked) in [(0, 1), (29, 1), (1, 2), (60, 2), (60, 3)] {
        kit.context.elapse(std::time::Duration::from_secs(pause));
        kit.gate.upload(&mut host, &mut kit.context).unwrap();
        assert_eq!(host.asked, asked, "after {pause} s more");
    }
    assert_eq!(kit.standing(TapState::Approved).taps, 1);
    assert_eq!(merchants(&mut kit), FARE as i64);
}

#[test]
fn a_debt_bars_its_card_until_the_ladder_has_recovered_it() {
    let mut kit = Kit::new();
    let mut rider = kit.rider(FARE + 50);
    assert!(kit.tap(&mut rider).is_open());
    kit.wait(60);
    assert!(kit.tap(&mut rider).is_open());
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.approved, done.owed), (1, 1));
    let key = SealKey::from_bytes([9; 32]);
    let mut list = DenyList::of(key, 4, Vec::new());
    let delta = done.delta(&list);
    assert_eq!((delta.from, delta.to), (4, 5));
    list.apply(&delta).unwrap();
    assert!(list.denies(rider.pan.expose()));
    kit.wait(60);
    let barred = kit.tap(&mut rider);
    assert_eq!(barred.why, Why::Owes, "{}", barred.reason);
    // The book knows it by itself.
    kit.restart();
    kit.wait(60);
    assert_eq!(kit.tap(&mut rider).why, Why::Owes);
    // The first step of the ladder is a day later; the account is still short then.
    kit.wait(24 * HOUR);
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.asked, done.owed), (1, 1));
    kit.pay_in(&rider, 10_000);
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!(done.asked, 0, "the next step is three days later");
    kit.wait(72 * HOUR);
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!(done.recovered, 1);
    list.apply(&done.delta(&list)).unwrap();
    assert!(!list.denies(rider.pan.expose()));
    assert_eq!(kit.standing(TapState::Recovered).taps, 1);
    assert_eq!(merchants(&mut kit), 2 * FARE as i64);
    let free = kit.tap(&mut rider);
    assert!(free.is_open(), "{}", free.reason);
    assert_eq!(kit.issuer.check(&mut kit.context).unwrap(), []);
    assert_eq!(kit.told("ride recovered").len(), 1);
}

#[test]
fn a_debt_is_lost_at_the_end_of_the_ladder_and_bars_for_good() {
    let mut kit = Kit::new();
    let mut rider = kit.rider(0);
    assert!(kit.tap(&mut rider).is_open());
    let steps = kit.gate.line().debt.pauses_hours.clone();
    assert_eq!(kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap().owed, 1);
    for (index, hours) in steps.iter().enumerate() {
        kit.wait(hours * HOUR);
        let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
        let is_last = index + 1 == steps.len();
        assert_eq!((done.asked, done.lost), (1, usize::from(is_last)), "step {index}");
    }
    kit.wait(10_000 * HOUR);
    assert_eq!(kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap().asked, 0);
    assert_eq!(kit.tap(&mut rider).why, Why::Owes);
}

#[test]
fn what_is_declined_for_good_is_lost_at_once() {
    let mut kit = Kit::new();
    let mut rider = kit.rider(10_000);
    assert!(kit.tap(&mut rider).is_open());
    assert!(kit.issuer.set_card_active(&rider.pan, 1, false, &mut kit.context).unwrap());
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.lost, done.owed), (1, 0));
    kit.wait(60);
    assert_eq!(kit.tap(&mut rider).why, Why::Owes);
}

#[test]
fn a_day_costs_no_more_than_its_cap_and_the_next_one_begins_anew() {
    let line = Line { daily_cap_minor: Some(3 * FARE), ..Line::default() };
    let mut kit = Kit::with(line);
    let mut rider = kit.rider(10_000);
    for ride in 0..5 {
        kit.wait(600);
        assert!(kit.tap(&mut rider).is_open(), "ride {ride}");
    }
    assert_eq!((kit.standing(TapState::Waiting).taps, kit.standing(TapState::Free).taps), (3, 2));
    assert_eq!(kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap().approved, 3);
    assert_eq!(merchants(&mut kit), 3 * FARE as i64);
    kit.wait(24 * HOUR);
    assert!(kit.tap(&mut rider).is_open());
    assert_eq!(kit.standing(TapState::Waiting).taps, 1);
}

/// A token has another number than its card, and the same account.
#[test]
fn a_debt_bars_the_account_behind_the_card_too() {
    const ACCOUNT: &str = "Q1Z2ABCDEFGHIJKLMNOPQRSTUVWXY";
    let hex: String = ACCOUNT.bytes().map(|byte| format!("{byte:02X}")).collect();
    let profile = Profile::text_of("unionpay-transit").unwrap();
    let profile = profile.replacen(r#""8F", "9F32""#, r#""8F", "9F32", "9F24""#, 1);
    let profile =
        profile.replacen("[application.data]", &format!("[application.data]\n\"9F24\" = \"{hex}\""), 1);
    let mut kit = Kit::new();
    let (mut card, mut token, mut other) = (kit.rider_of(&profile), kit.rider_of(&profile), kit.rider(0));
    assert!(kit.tap(&mut card).is_open());
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!(done.owed, 1);
    assert_eq!(kit.tap(&mut token).why, Why::Denied);
    assert!(kit.tap(&mut other).is_open());
    kit.restart();
    assert_eq!(kit.tap(&mut token).why, Why::Denied, "after a restart too");
    let mut list = DenyList::of(SealKey::from_bytes([9; 32]), 1, Vec::new());
    list.apply(&done.delta(&list)).unwrap();
    assert!(list.denies(ACCOUNT) && list.denies(card.pan.expose()));
    kit.pay_in(&card, 10_000);
    kit.wait(24 * HOUR);
    assert_eq!(kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap().recovered, 1);
    assert!(kit.tap(&mut token).is_open());
}
