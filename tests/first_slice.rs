//! The first slice, from the terminal's chair: read, load, pay, over both
//! interfaces, with a real card simulator and a real issuer.

use cardwright::air::link::Interface;
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Collector;
use cardwright::roles::terminal::journal::State;
use cardwright::roles::terminal::{Depth, Flow, TerminalConfig, Verdict};
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::iso7816::Effect;
use cardwright::world::{
    DEFAULT_PIN, Permit, ReaderAddress, Stage, StoreAddress, open_books, open_card, open_journal,
};

fn stage(profile: &str, interface: Interface) -> (Stage, Context, Collector) {
    let events = Collector::default();
    let mut context = Context::simulated(7, events.clone());
    let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).unwrap();
    let config = TerminalConfig::default();
    let address = ReaderAddress::parse(&format!("sim:{profile}")).unwrap();
    let permit = Permit { wants: Effect::Changes, allowed: Effect::Reads };
    let seal = |_: &mut Context| unreachable!("a fresh card is not sealed");
    let opened = open_card(
        &address,
        Some(interface),
        interface,
        permit,
        Default::default(),
        seal,
        &mut issuer,
        &config,
        &mut context,
    )
    .unwrap();
    let journal = open_journal(None, &mut context).unwrap();
    (Stage::new(opened.card, issuer, journal, config).unwrap(), context, events)
}

fn transact(profile: &str, interface: Interface, flow: Flow, amount: Amount, pin: &str) -> (Stage, Verdict) {
    let (mut stage, mut context, events) = stage(profile, interface);
    let before = stage.position(amount.currency, &mut context).unwrap();
    let mut pin = Secret::new(pin.to_owned());
    let result = stage.transact(flow, amount, &mut pin, &mut context);
    let (_, outcome) = result.unwrap_or_else(|error| {
        for event in events.events() {
            eprintln!("{} {} {} {:?}", event.speaker, event.name, event.reason, event.elements);
        }
        panic!("{error}")
    });
    let after = stage.position(amount.currency, &mut context).unwrap();
    let story = || {
        events.events().iter().map(|e| format!("{} {} {}\n", e.speaker, e.name, e.reason)).collect::<String>()
    };
    assert_eq!(before.total_minor(), after.total_minor(), "{}", story());
    stage.check(&mut context).unwrap();
    if outcome.verdict.is_success() {
        let moved = amount.minor as i64;
        let (card, account) = match flow {
            Flow::Load => (moved, -moved),
            Flow::Pay if outcome.verdict == Verdict::ApprovedOffline => (-moved, 0),
            Flow::Pay => (0, -moved),
            other => panic!("{other:?} is played in kinds.rs"),
        };
        assert_eq!(after.card_minor - before.card_minor, card, "{}", story());
        assert_eq!(after.accounts_minor - before.accounts_minor, account, "{}", story());
    } else {
        assert_eq!(after, before, "{}", story());
    }
    eprintln!("{profile} {interface} {flow:?} {amount}: {} ({})", outcome.verdict.word(), outcome.reason);
    (stage, outcome.verdict)
}

const CNY: Currency = Currency::CNY;

#[test]
fn a_load_by_contact_and_by_radio() {
    for interface in [Interface::Contact, Interface::Contactless] {
        let amount = Amount::new(5000, CNY);
        let (mut stage, verdict) = transact("ecash", interface, Flow::Load, amount, DEFAULT_PIN);
        assert_eq!(verdict, Verdict::Loaded);
        assert_eq!(stage.journal.rows().unwrap()[0].state, State::Confirmed);
    }
}

#[test]
fn a_payment_by_contact_and_by_radio() {
    for interface in [Interface::Contact, Interface::Contactless] {
        let amount = Amount::new(1250, CNY);
        let (mut stage, verdict) = transact("ecash", interface, Flow::Pay, amount, DEFAULT_PIN);
        assert_eq!(verdict, Verdict::ApprovedOffline);
        assert_eq!(stage.journal.rows().unwrap()[0].state, State::CardUpdated);
    }
}

#[test]
fn the_second_currency_has_a_balance_of_its_own() {
    let amount = Amount::new(3000, Currency::HKD);
    for interface in [Interface::Contact, Interface::Contactless] {
        let (_, verdict) = transact("ecash-dual", interface, Flow::Load, amount, DEFAULT_PIN);
        assert_eq!(verdict, Verdict::Loaded);
    }
}

#[test]
fn a_debit_card_pays_online() {
    let amount = Amount::new(3000, CNY);
    for interface in [Interface::Contact, Interface::Contactless] {
        let (_, verdict) = transact("debit", interface, Flow::Pay, amount, DEFAULT_PIN);
        assert_eq!(verdict, Verdict::ApprovedOnline);
    }
}

#[test]
fn limits_and_wrong_pins_move_nothing() {
    let cases = [
        ("ecash", Flow::Load, Amount::new(95_000, CNY), DEFAULT_PIN, Verdict::Refused),
        ("ecash", Flow::Load, Amount::new(60_000, CNY), DEFAULT_PIN, Verdict::Declined),
        ("ecash", Flow::Load, Amount::new(5000, CNY), "999999", Verdict::Declined),
        ("ecash", Flow::Load, Amount::new(5000, Currency::HKD), DEFAULT_PIN, Verdict::Refused),
        ("ecash", Flow::Pay, Amount::new(15_000, CNY), DEFAULT_PIN, Verdict::Refused),
        ("ecash", Flow::Pay, Amount::new(25_000, CNY), DEFAULT_PIN, Verdict::Refused),
        ("debit", Flow::Load, Amount::new(5000, CNY), DEFAULT_PIN, Verdict::Refused),
        ("debit", Flow::Pay, Amount::new(60_000, CNY), DEFAULT_PIN, Verdict::Declined),
    ];
    for interface in [Interface::Contact, Interface::Contactless] {
        for (profile, flow, amount, pin, expected) in cases {
            let (_, verdict) = transact(profile, interface, flow, amount, pin);
            assert_eq!(verdict, expected, "{profile} {interface} {flow:?} {amount}");
        }
    }
}

#[test]
fn reading_spends_nothing_unless_asked() {
    let (mut stage, mut context, _) = stage("ecash", Interface::Contact);
    let facts = stage.read(Depth::Quick, &mut context).unwrap();
    let application = &facts.applications[0];
    assert_eq!(application.atc.known(), Some(&0));
    assert!(application.pan.known().is_some_and(cardwright::words::emv::Pan::is_test));
    assert!(application.expiry.known().is_some());
    assert_eq!(application.ecash[0].balance.known().map(|a| a.minor), Some(10_000));
    let full = stage.read(Depth::Full, &mut context).unwrap();
    assert_eq!(full.applications[0].spent_atc, Some(1));
    let again = stage.read(Depth::Quick, &mut context).unwrap();
    assert_eq!(again.applications[0].atc.known(), Some(&1));
    assert_eq!(again.applications[0].ecash[0].balance.known().map(|a| a.minor), Some(10_000));
}

#[test]
fn a_terminal_is_one_process_at_a_time() {
    let mut context = Context::simulated(1, Collector::default());
    let folder = tempfile::tempdir().unwrap();
    let first = open_journal(Some(folder.path()), &mut context).unwrap();
    let Err(error) = open_journal(Some(folder.path()), &mut context) else { panic!("opened twice") };
    assert!(error.to_string().contains("another cardwright is at work"), "{error}");
    drop(first);
    assert!(open_journal(Some(folder.path()), &mut context).is_ok());
}
