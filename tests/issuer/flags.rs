//! What an upload shows that the books cannot explain is flagged, and a late one clears it.

use super::kit::World;
use cardwright::air::host::{Kind, ResponseCode};
use cardwright::roles::issuer::{FlagKind, Limits, Rules};
use cardwright::words::dictionary::tag;

/// A card with 50.00 on it that the host knows of, under counter 1.
fn loaded(rules: Rules) -> World {
    let mut world = World::ruled(rules);
    let (load, answer) = world.load(5000);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    world
}

/// Kind, amount, first and last counter of what stands.
fn flags(world: &mut World) -> Vec<(FlagKind, u64, (u16, u16))> {
    let flags = world.issuer.flags(&mut world.context).unwrap();
    flags.iter().map(|flag| (flag.kind, flag.amount.minor, flag.atcs)).collect()
}

#[test]
fn a_gap_is_flagged_with_its_amount_and_late_uploads_clear_it() {
    let mut world = loaded(Rules::default());
    let chips: Vec<_> = [100, 200, 300, 400].map(|minor| (minor, world.card.pay(minor))).into();
    let upload = |world: &mut World, index: usize| {
        let (minor, chip) = chips[index].clone();
        assert_eq!(world.upload(minor, chip).reason, "the sale is booked");
    };
    upload(&mut world, 3);
    assert_eq!(flags(&mut world), [(FlagKind::CounterGap, 600, (2, 4))]);
    upload(&mut world, 1);
    assert_eq!(flags(&mut world), [(FlagKind::CounterGap, 400, (2, 2)), (FlagKind::CounterGap, 0, (4, 4))]);
    upload(&mut world, 2);
    assert_eq!(flags(&mut world), [(FlagKind::CounterGap, 400, (2, 2))]);
    upload(&mut world, 0);
    assert_eq!(flags(&mut world), []);
    world.assert_sound();
    let pan = world.card.pan.expose().to_owned();
    let rows = world.issuer.history(&pan, &mut world.context).unwrap().unwrap();
    let told = rows.iter().filter(|row| row.what == "flag: counter gap");
    let told: Vec<_> = told.map(|row| (row.state.as_str(), row.reason.as_deref().unwrap())).collect();
    assert_eq!(told, [("cleared", "ATC 2 to 2"), ("cleared", "ATC 4 to 4")]);
}

#[test]
fn gaps_in_order_are_narrowed_from_either_end_and_an_arqc_shows_one_too() {
    let mut world = loaded(Rules::default());
    let first = world.card.pay(100);
    let second = world.card.pay(200);
    world.load(1);
    assert_eq!(flags(&mut world), [(FlagKind::CounterGap, 300, (2, 3))]);
    world.upload(200, second);
    assert_eq!(flags(&mut world), [(FlagKind::CounterGap, 100, (2, 2))]);
    world.upload(100, first);
    assert_eq!(flags(&mut world), []);
    // In order there is never one; a second gap does not count the first one's money again.
    let third = world.card.pay(10);
    world.upload(10, third);
    assert_eq!(flags(&mut world), []);
    world.card.pay(1000);
    let chip = world.card.pay(50);
    world.upload(50, chip);
    world.card.pay(500);
    world.load(1);
    let amounts: Vec<_> = flags(&mut world).iter().map(|flag| flag.1).collect();
    assert_eq!(amounts, [1000, 500]);
}

#[test]
fn a_wrong_certificate_is_disputed_and_nothing_is_booked() {
    let mut world = loaded(Rules::default());
    let right = world.card.pay(100);
    let mut wrong = right.clone();
    wrong.put(tag::APPLICATION_CRYPTOGRAM, [0; 8]);
    for _ in 0..2 {
        let answer = world.upload(100, wrong.clone());
        assert_eq!(answer.code, ResponseCode::APPROVED);
        assert!(answer.reason.contains("disputed, nothing is booked"), "{}", answer.reason);
    }
    assert_eq!(flags(&mut world), [(FlagKind::SaleDisputed, 100, (2, 2))]);
    assert_eq!(world.books().merchants_minor, 0);
    // A forged claim is no evidence, fills no counter, and keeps the right one from nothing.
    world.card.atc += 1;
    let far = world.card.pay(10);
    world.upload(10, far);
    assert_eq!(flags(&mut world)[1], (FlagKind::CounterGap, 100, (2, 3)));
    assert_eq!(world.upload(100, right).reason, "the sale is booked");
    assert_eq!(flags(&mut world)[1], (FlagKind::CounterGap, 0, (3, 3)));
    assert_eq!(world.books().merchants_minor, 110);
    world.assert_sound();
}

#[test]
fn a_balance_above_the_shadow_is_flagged_with_the_excess() {
    let mut world = loaded(Rules::default());
    world.card.balance_minor += 700;
    let chip = world.card.pay(100);
    world.upload(100, chip);
    assert_eq!(flags(&mut world), [(FlagKind::AboveShadow, 700, (2, 2))]);
    // More than the ledger holds: the sale is held.
    let chip = world.card.pay(5_600);
    assert!(world.upload(5_600, chip).reason.contains("held"));
    let expected = [(FlagKind::AboveShadow, 700, (2, 3)), (FlagKind::SaleHeld, 5_600, (3, 3))];
    assert_eq!(flags(&mut world), expected);
}

#[test]
fn a_sale_above_the_limit_has_happened_and_is_flagged() {
    let text = "[ecash.CNY]\nsale_minor = 200\n";
    let file = include_str!("../../src/roles/issuer/limits.toml").replace("[ecash.CNY]", text);
    let mut world = loaded(Rules { limits: Limits::parse(&file).unwrap(), ..Rules::default() });
    for minor in [200, 201] {
        let chip = world.card.pay(minor);
        assert_eq!(world.upload(minor, chip).reason, "the sale is booked");
    }
    assert_eq!(flags(&mut world), [(FlagKind::SaleAboveLimit, 201, (3, 3))]);
    world.assert_sound();
}

#[test]
fn one_counter_with_two_right_certificates_is_flagged() {
    let mut world = loaded(Rules::default());
    let chip = world.card.pay(100);
    world.upload(100, chip);
    world.card.atc -= 1;
    let twin = world.card.pay(150);
    world.upload(150, twin);
    assert_eq!(flags(&mut world), [(FlagKind::CounterTwice, 150, (2, 2))]);
    assert!(world.alarms() >= 1);
}

#[test]
fn a_declined_request_keeps_the_gap_that_it_showed() {
    let mut world = loaded(Rules::default());
    world.card.pay(100);
    let chip = world.card.sign(1_000_000, 0xA0, 0x00);
    let request = world.request(Kind::Purchase, 1_000_000, chip);
    use cardwright::air::host::Host;
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert!(!answer.code.is_approved());
    assert_eq!(flags(&mut world), [(FlagKind::CounterGap, 100, (2, 2))]);
}
