//! Purses at the gate: paid before it opens, proven after a tear, told to their issuer once.

use super::kit::{FARE, Kit, Rider};
use cardwright::air::link::{Activation, Card, FaultPlan, FaultPoint, LinkError};
use cardwright::base::bytes::{Cursor, Secret};
use cardwright::base::context::Context;
use cardwright::base::store::{SealKey, Sqlite};
use cardwright::devices::gate::{Line, LineKind, Passage, PurseRules, Standing, TapState, Why};
use cardwright::roles::card::Profile;
use cardwright::roles::terminal::Depth;
use cardwright::roles::terminal::journal::Journal;
use cardwright::roles::terminal::purse::{Desk, PurseChange, PurseChoice, PurseOrder, change, select};
use cardwright::roles::terminal::{Bytes, TerminalConfig, read};
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::iso7816::command::ReadRecord;
use cardwright::words::iso7816::{ApduCommand, CommandApdu, ResponseApdu, StatusWord};
use cardwright::words::pboc::TravelRecord;
use cardwright::words::pboc::command::GetTransactionProve;
use cardwright::words::pboc::fixed::Fixed;
use cardwright::words::pboc::purse::PurseId;
use cardwright::world::DEFAULT_PIN;

const HOUR: u64 = 3_600;

/// What the rider's purse holds, and its newest travel record.
fn purse_of(kit: &mut Kit, rider: &mut Rider) -> (u64, Option<TravelRecord>) {
    rider.card.reset(&mut kit.context).unwrap();
    let facts = read(&mut rider.card, &TerminalConfig::default(), Depth::Quick, &mut kit.context).unwrap();
    let balance = facts.purses[0].balances.iter().find(|balance| balance.purse == 2).unwrap();
    let minor = balance.balance.known().unwrap().minor;
    let ask = ReadRecord { sfi: 0x1E, record: 1 };
    let answer = rider.card.transmit(&ask.to_apdu(), &mut kit.context).unwrap();
    (minor, ask.answer(&answer).ok().and_then(|bytes| TravelRecord::take(&mut Cursor::new(&bytes)).ok()))
}

fn merchants(kit: &mut Kit) -> u64 {
    kit.issuer.books(&mut kit.context).unwrap().of(Currency::CNY).merchants_minor as u64
}

/// What rows of the gate's book come to, of those that a purse has paid.
fn kept(kit: &mut Kit) -> u64 {
    [TapState::Waiting, TapState::Approved].map(|state| kit.standing(state).minor).iter().sum()
}

#[test]
fn a_purse_pays_before_the_gate_opens_and_its_issuer_is_told() {
    let mut kit = Kit::new();
    let mut rider = kit.purse(1_000);
    let passage = kit.tap(&mut rider);
    assert!(passage.is_open(), "{passage:?}");
    let (balance, record) = purse_of(&mut kit, &mut rider);
    let record = record.unwrap();
    assert_eq!((balance, record.kind), (1_000 - FARE, TravelRecord::SINGLE));
    assert_eq!((record.amount_minor, record.balance_minor), (200, 800));
    kit.restart();
    assert_eq!(kit.standing(TapState::Waiting), Standing { taps: 1, minor: FARE });
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.asked, done.approved), (1, 1), "{done:?}");
    assert_eq!(merchants(&mut kit), FARE);
    assert_eq!(kit.issuer.check(&mut kit.context).unwrap(), []);
}

#[test]
fn rules_hold_for_purses_too() {
    let line = Line { daily_cap_minor: Some(2 * FARE), ..Line::default() };
    let mut kit = Kit::with(line);
    let mut rider = kit.purse(1_000);
    assert!(kit.tap(&mut rider).is_open());
    kit.wait(2);
    assert_eq!(kit.tap(&mut rider).why, Why::SameCard);
    kit.wait(60);
    assert!(kit.tap(&mut rider).is_open());
    kit.wait(60);
    let free = kit.tap(&mut rider);
    assert!(free.is_open() && free.reason.contains("cap"), "{free:?}");
    assert_eq!(purse_of(&mut kit, &mut rider).0, 1_000 - 2 * FARE);
    assert_eq!(kit.standing(TapState::Free).taps, 1);
    kit.gate.deny_list.add(rider.pan.expose());
    kit.wait(60);
    assert_eq!(kit.tap(&mut rider).why, Why::Denied);
}

#[test]
fn a_purse_that_lacks_the_fare_or_is_expired_keeps_the_gate_shut() {
    let mut kit = Kit::new();
    let mut poor = kit.purse(FARE - 1);
    assert_eq!(kit.tap(&mut poor).why, Why::NoMoney);
    assert_eq!(purse_of(&mut kit, &mut poor).0, FARE - 1);
    let mut rich = kit.purse(1_000);
    kit.wait(20 * 366 * 86_400);
    assert_eq!(kit.tap(&mut rich).why, Why::Expired);
    assert_eq!(purse_of(&mut kit, &mut rich).0, 1_000);
}

/// Whatever is cut, at whatever exchange and point: the rider passes at the next tap, pays once,
/// and what left the card stands in the book.
#[test]
fn a_torn_purse_pays_once_and_the_books_balance() {
    for point in FaultPoint::ALL {
        for restarts in [false, true] {
            let mut kit = Kit::new();
            let mut proven = 0;
            for exchange in 0.. {
                let mut rider = kit.purse(1_000);
                let kept_before = kept(&mut kit);
                let passage = kit.tap_pulled(&mut rider, Some(FaultPlan { exchange, point: *point }));
                if !rider.is_away() {
                    assert!(exchange >= 6, "{exchange}");
                    break;
                }
                if restarts {
                    kit.restart();
                }
                kit.wait(2);
                let again: Passage = if passage.is_open() { passage } else { kit.tap(&mut rider) };
                assert!(again.is_open(), "{} {exchange}: {again:?}", point.word());
                proven += usize::from(again.reason.contains("paid before"));
                assert_eq!(purse_of(&mut kit, &mut rider).0, 1_000 - FARE, "{} {exchange}", point.word());
                assert_eq!(kept(&mut kit) - kept_before, FARE, "{} {exchange}", point.word());
                assert_eq!(kit.standing(TapState::InDoubt).taps, 0);
            }
            let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
            assert_eq!((done.lost, done.unanswered), (0, 0));
            assert_eq!(merchants(&mut kit), kept(&mut kit));
            assert_eq!(kit.issuer.check(&mut kit.context).unwrap(), []);
            // The debit's answer is lost at one exchange, and at that one alone.
            let expected = usize::from(*point == FaultPoint::AnswerLost);
            assert_eq!(proven, expected, "{}", point.word());
        }
    }
}

#[test]
fn a_metro_ride_costs_what_the_record_of_its_beginning_says() {
    let metro =
        |kind, station| Line { kind, station: Bytes(station), same_card_seconds: 0, ..Line::default() };
    let mut entry = Kit::with(metro(LineKind::Entry, [1, 2]));
    let mut rider = entry.purse(1_000);
    let passage = entry.tap(&mut rider);
    assert!(passage.is_open(), "{passage:?}");
    let (balance, record) = purse_of(&mut entry, &mut rider);
    assert_eq!((balance, record.unwrap().kind), (1_000, TravelRecord::ENTRY));
    assert_eq!(entry.standing(TapState::Free).taps, 1);
    let mut exit = Kit::with(metro(LineKind::Exit, [1, 1]));
    let passage = exit.tap(&mut rider);
    assert!(passage.is_open(), "{passage:?}");
    let (balance, record) = purse_of(&mut exit, &mut rider);
    assert_eq!((balance, record.unwrap().kind), (700, TravelRecord::EXIT));
    exit.wait(1);
    // No record tells where this ride began.
    assert_eq!(exit.tap(&mut rider).why, Why::NoMoney);
}

/// A line on which a card may pass again at once, with other rules for purses.
fn line(change: impl FnOnce(&mut PurseRules)) -> Line {
    let mut line = Line { same_card_seconds: 0, ..Line::default() };
    change(line.purse.as_mut().unwrap());
    line
}

/// A ride whose debit's answer is lost.
fn torn(kit: &mut Kit) -> Rider {
    let mut rider = kit.purse(10_000);
    assert!(kit.tap(&mut rider).is_open());
    let debit = FaultPlan { exchange: rider.last_exchange(), point: FaultPoint::AnswerLost };
    kit.wait(1);
    assert_eq!(kit.tap_pulled(&mut rider, Some(debit)).why, Why::Gone);
    assert_eq!(kit.standing(TapState::InDoubt).taps, 1);
    kit.wait(1);
    rider
}

#[test]
fn so_many_rides_pass_by_a_proof_that_the_module_can_no_longer_judge_as_the_line_says() {
    for most in [0, 1] {
        let mut kit = Kit::with(line(|rules| rules.unjudged_proofs = most));
        let mut rider = torn(&mut kit);
        let mut next = kit.purse(10_000);
        assert!(kit.tap(&mut next).is_open());
        let passage = kit.tap(&mut rider);
        assert_eq!(passage.why, if most > 0 { Why::Authentic } else { Why::Unproven }, "{passage:?}");
        assert_eq!(purse_of(&mut kit, &mut rider).0, 10_000 - 2 * FARE);
        assert_eq!((kit.standing(TapState::InDoubt).taps, kit.standing(TapState::Waiting).taps), (0, 3));
        // A second one does not, until the issuer has judged the first.
        for uploads in [false, true] {
            if uploads {
                let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
                assert_eq!(done.lost, 0, "{done:?}");
            }
            kit.wait(1);
            let debit = FaultPlan { exchange: next.last_exchange(), point: FaultPoint::AnswerLost };
            assert_eq!(kit.tap_pulled(&mut rider, Some(debit)).why, Why::Gone);
            assert!(kit.tap(&mut next).is_open());
            kit.wait(1);
            let expected = if most > 0 && uploads { Why::Authentic } else { Why::Unproven };
            assert_eq!(kit.tap(&mut rider).why, expected, "{most} {uploads}");
        }
        kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
        assert_eq!(merchants(&mut kit), kept(&mut kit));
    }
}

/// Its TAC is lost: the issuer pays it once the purse's balance shows that it was paid.
#[test]
fn what_a_card_proves_no_longer_is_claimed_and_holds_nobody_up() {
    let mut kit = Kit::with(line(|_| {}));
    let mut other = Kit::with(Line { terminal: "GATE0002".into(), ..line(|_| {}) });
    let mut rider = torn(&mut kit);
    // Elsewhere the card rides on, until neither its proof nor its log reaches back. Its module has the
    // same number there, so that it may not be the same time, too.
    other.wait(HOUR);
    for _ in 0..11 {
        assert!(other.tap(&mut rider).is_open());
        other.wait(1);
    }
    assert!(kit.tap(&mut rider).is_open());
    assert_eq!((kit.standing(TapState::Claimed).taps, kit.standing(TapState::Waiting).taps), (1, 2));
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.asked, done.approved, done.claimed), (3, 2, 1), "{done:?}");
    other.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!(merchants(&mut kit), (2 + 11) * FARE, "nobody is paid on the gate's word");
    kit.wait(1);
    assert!(kit.tap(&mut rider).is_open(), "it holds nobody up");
    kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    // A load proves the purse's balance.
    kit.pay_in(&rider, 1_000);
    load(&mut kit, &mut rider);
    kit.wait(HOUR);
    let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
    assert_eq!((done.asked, done.approved), (1, 1), "{done:?}");
    assert_eq!(kit.standing(TapState::Claimed).taps, 0);
    assert_eq!(merchants(&mut kit), (4 + 11) * FARE);
    assert_eq!(kit.issuer.check(&mut kit.context).unwrap(), []);
}

fn load(kit: &mut Kit, rider: &mut Rider) {
    rider.card.reset(&mut kit.context).unwrap();
    let seal = SealKey::random(&mut kit.context);
    let mut journal = Journal::open(Box::new(Sqlite::in_memory().unwrap()), seal).unwrap();
    let config = TerminalConfig::default();
    let selected = select(&mut rider.card, &PurseChoice::First, &mut kit.context).unwrap().unwrap();
    let order = PurseOrder {
        purse: PurseId::PURSE,
        change: PurseChange::Load,
        amount: Amount::new(100, Currency::CNY),
        trace: (1, 1),
        at: kit.context.now(),
    };
    let (mut cardholder, host) = (Secret::new(DEFAULT_PIN.to_owned()), &mut kit.issuer);
    let mut desk = Desk {
        card: &mut rider.card,
        host,
        journal: &mut journal,
        cardholder: &mut cardholder,
        config: &config,
    };
    let done = change(&selected, &order, &mut desk, &mut kit.context).unwrap();
    assert!(done.verdict.is_success(), "{}", done.reason);
}

/// A card that does not know GET TRANSACTION PROVE.
struct Unproving<'a>(&'a mut dyn Card);

impl Card for Unproving<'_> {
    fn activation(&self) -> &Activation {
        self.0.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        match GetTransactionProve::matches(command) {
            true => Ok(ResponseApdu { data: Vec::new(), status: StatusWord::INS_NOT_SUPPORTED }),
            false => self.0.transmit(command, context),
        }
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.0.reset(context)
    }
}

#[test]
fn a_card_that_proves_nothing_is_held_up_as_often_as_the_line_says() {
    let mut kit = Kit::with(line(|rules| rules.proof_taps = 3));
    let mut rider = kit.purse(10_000);
    assert!(kit.tap(&mut rider).is_open());
    kit.wait(1);
    // The log has an entry of a ride over something: here the card was debited nothing.
    let before = FaultPlan { exchange: rider.last_exchange(), point: FaultPoint::BeforeCommand };
    assert_eq!(kit.tap_pulled(&mut rider, Some(before)).why, Why::Gone);
    let mut whys = Vec::new();
    for _ in 0..4 {
        kit.wait(1);
        rider.card.reset(&mut kit.context).unwrap();
        let passage = kit.gate.tap(&mut Unproving(&mut rider.card), &mut kit.context).unwrap();
        whys.push(passage.why);
    }
    assert_eq!(whys, [Why::Unproven, Why::Unproven, Why::Authentic, Why::Authentic]);
    // The issuer is to find out.
    assert_eq!((kit.standing(TapState::InDoubt).taps, kit.standing(TapState::Claimed).taps), (0, 1));
}

#[test]
fn a_purse_that_lacks_the_fare_is_passed_over_for_the_bank_card_beside_it() {
    let text = |name| Profile::text_of(name).unwrap();
    let (_, purse) = text("t-union").split_once("[[application]]").unwrap();
    let both = format!("{}\n[[application]]{purse}", text("unionpay-transit"));
    for then_bank_card in [true, false] {
        let mut kit = Kit::with(line(|rules| rules.then_bank_card = then_bank_card));
        let mut rider = kit.rider_with(&both, 10_000, FARE);
        let by_purse = kit.tap(&mut rider);
        assert!(by_purse.is_open() && by_purse.reason.contains("paid by the purse"), "{by_purse:?}");
        kit.wait(1);
        let passage = kit.tap(&mut rider);
        assert_eq!(passage.why, if then_bank_card { Why::Authentic } else { Why::NoMoney }, "{passage:?}");
        assert_eq!(kit.told("purse passed over").len(), usize::from(then_bank_card));
        let rides = kit.gate.book().rides(10).unwrap();
        let by: Vec<bool> = rides.iter().map(|ride| ride.is_purse).collect();
        assert_eq!(by, if then_bank_card { vec![false, true] } else { vec![true] });
        let done = kit.gate.upload_all(&mut kit.issuer, &mut kit.context).unwrap();
        assert_eq!(done.approved, by.len());
        assert_eq!(merchants(&mut kit), by.len() as u64 * FARE);
    }
}
