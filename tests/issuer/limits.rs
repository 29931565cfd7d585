//! Limits of accounts and of electronic cash: each at its edge and one above, the next
//! day and year, room that is given back, and terminals at once.

use super::kit::{CNY, HKD, World};
use cardwright::air::host::{Answer, Host, Kind, Original, Request, ResponseCode};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::roles::issuer::{
    AccountClass, AccountId, AccountSummary, IssuerError, Limits, NewAccount, Rules,
};
use cardwright::words::iso4217::Amount;
use std::time::Duration;

/// Small figures: 100.00 a day, 150.00 a year out of class II.
const FILE: &str = r#"
[class.I]
pays = ["own-card", "other-card", "merchant", "bound-account", "other-account"]
receives = ["own-card", "other-card", "merchant", "bound-account", "other-account"]
[class.II]
pays = ["own-card", "other-card", "merchant", "bound-account", "other-account"]
receives = ["own-card", "bound-account"]
[class.II.figures.CNY]
balance_minor = 45_000
out_day_minor = 10_000
out_year_minor = 15_000
in_day_minor = 6_000
in_year_minor = 9_000
[class.III]
pays = ["own-card", "bound-account"]
receives = ["own-card", "bound-account"]
[class.III.figures.CNY]
out_day_minor = 10_000
[ecash.CNY]
balance_minor = 60_000
"#;

/// A terminal with a card on account L1 of this class, which A1 has fed with 400.00.
fn limited(class: AccountClass, file: &str) -> World {
    let mut world = ruled(file);
    let account = account("L1", class, 0, Some("A1"));
    world.issuer.open_account_of(&account, &mut world.context).unwrap();
    moved(&mut world, "A1", "L1", 40_000).unwrap();
    world.beside_on(2, "L1")
}

fn ruled(file: &str) -> World {
    World::ruled(Rules { limits: Limits::parse(file).unwrap(), ..Rules::default() })
}

fn account(id: &str, class: AccountClass, minor: u64, bound: Option<&str>) -> NewAccount {
    NewAccount {
        id: Some(id.into()),
        balance: Amount::new(minor, CNY),
        holder: "Li Si".to_owned().into(),
        class,
        bound: bound.map(|id| AccountId(id.into())),
    }
}

fn moved(world: &mut World, from: &str, to: &str, minor: u64) -> Result<(), IssuerError> {
    let (from, to) = (AccountId(from.into()), AccountId(to.into()));
    world.issuer.transfer(&from, &to, Amount::new(minor, CNY), &mut world.context)
}

fn l1(world: &mut World) -> AccountSummary {
    let accounts = world.issuer.accounts(&mut world.context).unwrap();
    accounts.into_iter().find(|account| account.id.0 == "L1").unwrap()
}

/// Out today, out this year, in today, in this year.
fn used(world: &mut World) -> [u64; 4] {
    let (out, into) = l1(world).used.unwrap();
    [out.day_minor, out.year_minor, into.day_minor, into.year_minor]
}

/// A load that lands.
fn landed(world: &mut World, minor: u64) -> Request {
    let (request, answer) = world.load(minor);
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
    world.card.take_script(&answer);
    world.notice(&request, 0x20);
    request
}

fn asked(world: &mut World, kind: Kind, minor: u64, original: Option<&Request>) -> (Request, Answer) {
    let transaction_type = match kind {
        Kind::CashLoad => 0x63,
        Kind::CashLoadVoid => 0x17,
        Kind::UnloadScript => 0x61,
        Kind::PendingLoad => 0x60,
        _ => 0x00,
    };
    let chip = world.card.sign(minor, 0xA0, transaction_type);
    let mut request = world.request(kind, minor, chip);
    request.original = original.map(|of| Original { batch: of.key.batch, trace: of.key.trace });
    if kind == Kind::PendingLoad {
        request.pin = Some("123456".to_owned().into());
    }
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    (request, answer)
}

#[track_caller]
fn refused(answer: &Answer, code: ResponseCode, name: &str) {
    assert_eq!(answer.code, code, "{}", answer.reason);
    assert!(answer.reason.starts_with(&format!("limit {name}")), "{}", answer.reason);
}

#[track_caller]
fn granted(answer: &Answer) {
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
}

const OVER: ResponseCode = ResponseCode::LIMIT_EXCEEDED;

fn days(world: &mut World, days: u64) {
    world.context.elapse(Duration::from_secs(days * 86_400));
}

#[test]
fn a_day_and_a_year_have_an_edge_and_end() {
    let mut world = limited(AccountClass::II, FILE);
    refused(&world.load(10_001).1, OVER, "out_day of class II: at most 100.00 CNY a day");
    landed(&mut world, 10_000);
    for kind in [Kind::LinkedLoad, Kind::Purchase, Kind::PreAuthorisation] {
        let answer =
            if kind == Kind::LinkedLoad { world.load(1).1 } else { asked(&mut world, kind, 1, None).1 };
        refused(&answer, OVER, "out_day");
        world.card.check_arpc(&answer);
    }
    assert_eq!(used(&mut world), [10_000, 10_000, 0, 0]);
    days(&mut world, 1);
    assert_eq!(used(&mut world), [0, 10_000, 0, 0]);
    refused(&world.load(5_001).1, OVER, "out_year of class II: at most 150.00 CNY a year");
    landed(&mut world, 5_000);
    refused(&asked(&mut world, Kind::Purchase, 1, None).1, OVER, "out_year");
    // The simulated clock begins late in November.
    days(&mut world, 60);
    assert_eq!(used(&mut world), [0, 0, 0, 0]);
    landed(&mut world, 10_000);
    world.assert_sound();
}

#[test]
fn class_one_has_no_sums_and_its_own_figures_where_a_file_gives_it_some() {
    let mut world = ruled(FILE);
    landed(&mut world, 20_000);
    assert_eq!(world.issuer.accounts(&mut world.context).unwrap()[0].used, None);
    let file = FILE.replacen("[class.II]", "[class.I.figures.CNY]\nout_day_minor = 700\n[class.II]", 1);
    let mut world = ruled(&file);
    refused(&world.load(701).1, OVER, "out_day of class I:");
    landed(&mut world, 700);
    refused(&world.load(1).1, OVER, "out_day of class I:");
}

#[test]
fn every_way_out_is_counted_in_one_sum() {
    let mut world = limited(AccountClass::II, FILE);
    landed(&mut world, 2_000);
    granted(&asked(&mut world, Kind::Purchase, 2_000, None).1);
    granted(&asked(&mut world, Kind::PreAuthorisation, 2_000, None).1);
    let (pan, from) = (world.card.pan.clone(), AccountId("L1".into()));
    let credit = |world: &mut World, minor| {
        let amount = Amount::new(minor, CNY);
        world.issuer.credit_pending(&pan, 0, amount, Some(&from), &mut world.context)
    };
    credit(&mut world, 2_000).unwrap();
    moved(&mut world, "L1", "A1", 5_000).unwrap();
    assert_eq!(used(&mut world)[0], 8_000, "the bound account is in no sum");
    refused(&world.load(2_001).1, OVER, "out_day");
    let error = credit(&mut world, 2_001).unwrap_err();
    assert!(
        matches!(&error, IssuerError::Refused { reason } if reason.starts_with("limit out_day")),
        "{error}"
    );
    credit(&mut world, 2_000).unwrap();
    world.assert_sound();
}

#[test]
fn what_is_given_back_gives_the_room_back() {
    let mut world = limited(AccountClass::II, FILE);
    let (load, answer) = world.load(10_000);
    granted(&answer);
    world.reverse(&load);
    world.reverse(&load);
    assert_eq!(used(&mut world)[0], 0);
    // Refused by the card; and shown by the next ARQC never to have landed.
    let (load, _) = world.load(10_000);
    world.notice(&load, 0x11);
    let (_, answer) = world.load(10_000);
    granted(&answer);
    granted(&world.load(10_000).1);
    assert_eq!(used(&mut world)[0], 10_000);
    let (purchase, answer) = asked(&mut world, Kind::Purchase, 10_000, None);
    granted(&answer);
    refused(&world.load(1).1, OVER, "out_day");
    world.reverse(&purchase);
    assert_eq!(used(&mut world), [0; 4]);
    let mut world = limited(AccountClass::II, FILE);
    let (hold, answer) = asked(&mut world, Kind::PreAuthorisation, 10_000, None);
    granted(&answer);
    granted(&asked(&mut world, Kind::PreAuthorisationCompletion, 4_000, Some(&hold)).1);
    assert_eq!(used(&mut world)[0], 4_000);
    let (hold, answer) = asked(&mut world, Kind::PreAuthorisation, 6_000, None);
    granted(&answer);
    let (cancel, answer) = asked(&mut world, Kind::PreAuthorisationCancel, 6_000, Some(&hold));
    granted(&answer);
    assert_eq!(used(&mut world)[0], 4_000);
    // An undone cancellation takes the room again where it is still there, and not twice.
    let (purchase, _) = asked(&mut world, Kind::Purchase, 1, None);
    let undone = world.reverse(&cancel);
    assert!(undone.reason.contains("a limit of the account no longer allows it"), "{}", undone.reason);
    world.reverse(&purchase);
    assert_eq!(used(&mut world)[0], 4_000);
    world.assert_sound();
}

#[test]
fn what_comes_back_later_is_taken_off_its_own_day() {
    let mut world = limited(AccountClass::II, FILE);
    let (load, _) = world.load(9_000);
    days(&mut world, 1);
    assert_eq!(used(&mut world), [0, 9_000, 0, 0]);
    world.reverse(&load);
    assert_eq!(used(&mut world), [0, 0, 0, 0]);
    landed(&mut world, 10_000);
    world.assert_sound();
}

#[test]
fn an_unload_is_limited_as_a_credit() {
    let mut world = limited(AccountClass::II, FILE);
    // Cash on the card, so that the account may be credited with what did not come from it.
    let (load, answer) = asked(&mut world, Kind::CashLoad, 20_000, None);
    granted(&answer);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    let unload = |world: &mut World, minor| asked(world, Kind::UnloadScript, minor, None);
    // 400.00 are there, 450.00 may be.
    refused(&unload(&mut world, 5_001).1, OVER, "balance of class II");
    let (request, answer) = unload(&mut world, 5_000);
    granted(&answer);
    refused(&unload(&mut world, 5_001).1, OVER, "balance");
    assert_eq!(used(&mut world)[2], 0, "the last ARQC showed that the first never landed");
    world.notice(&request, 0x11);
    moved(&mut world, "L1", "A1", 20_000).unwrap();
    refused(&unload(&mut world, 6_001).1, OVER, "in_day");
    let (_, answer) = unload(&mut world, 6_000);
    granted(&answer);
    world.card.take_script(&answer);
    assert_eq!(used(&mut world)[2..], [6_000, 6_000]);
    refused(&unload(&mut world, 1).1, OVER, "in_day");
    days(&mut world, 1);
    refused(&unload(&mut world, 3_001).1, OVER, "in_year");
    granted(&unload(&mut world, 3_000).1);
    world.assert_sound();
}

#[test]
fn only_those_whom_the_class_names_are_on_the_other_side() {
    let mut world = limited(AccountClass::III, FILE);
    let no = ResponseCode::NOT_PERMITTED;
    refused(
        &asked(&mut world, Kind::Purchase, 1, None).1,
        no,
        "pays: an account of class III pays no merchant",
    );
    refused(&asked(&mut world, Kind::PreAuthorisation, 1, None).1, no, "pays");
    landed(&mut world, 100);
    let other = account("L2", AccountClass::III, 0, None);
    world.issuer.open_account_of(&other, &mut world.context).unwrap();
    for (from, to, part) in
        [("L1", "L2", "pays no other-account"), ("A1", "L2", "receives from no other-account")]
    {
        let error = moved(&mut world, from, to, 1).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let wages = AccountId("L1".into());
    let stranger = world.beside_on(3, "A1").card.pan;
    let amount = Amount::new(1, CNY);
    let error =
        world.issuer.credit_pending(&stranger, 0, amount, Some(&wages), &mut world.context).unwrap_err();
    assert!(error.to_string().contains("other-card"), "{error}");
    world.assert_sound();
}

#[test]
fn an_account_begins_within_its_class() {
    let mut world = ruled(FILE);
    let mut open = |account: NewAccount| {
        world.issuer.open_account_of(&account, &mut world.context).map_err(|error| error.to_string())
    };
    assert!(open(account("B1", AccountClass::II, 45_001, None)).unwrap_err().contains("450.00 CNY"));
    open(account("B2", AccountClass::II, 45_000, Some("A1"))).unwrap();
    for bound in ["B2", "A2", "nobody"] {
        assert!(open(account("B3", AccountClass::II, 0, Some(bound))).is_err(), "{bound}");
    }
    assert!(open(account("B3", AccountClass::I, 0, Some("A1"))).unwrap_err().contains("class I"));
    let foreign = NewAccount { balance: Amount::new(0, HKD), ..account("B3", AccountClass::III, 0, None) };
    assert!(open(foreign).unwrap_err().contains("none in HKD"));
}

#[test]
fn electronic_cash_has_limits_of_its_own() {
    let file = FILE.replace("= 60_000", "= 60_000\nload_minor = 8_000\nload_day_minor = 12_000");
    let mut world = ruled(&file);
    refused(&world.load(8_001).1, OVER, "load of electronic cash: at most 80.00 CNY at once");
    landed(&mut world, 8_000);
    refused(&world.load(4_001).1, OVER, "load_day of electronic cash");
    let (cash, answer) = asked(&mut world, Kind::CashLoad, 4_000, None);
    granted(&answer);
    world.card.take_script(&answer);
    world.notice(&cash, 0x20);
    refused(&world.load(1).1, OVER, "load_day");
    let (void, answer) = asked(&mut world, Kind::CashLoadVoid, 4_000, Some(&cash));
    granted(&answer);
    world.card.take_script(&answer);
    world.notice(&void, 0x20);
    landed(&mut world, 4_000);
    days(&mut world, 1);
    landed(&mut world, 8_000);
    let mut world = ruled(&file.replace("= 60_000", "= 9_000"));
    landed(&mut world, 8_000);
    refused(&world.load(1_001).1, OVER, "balance of electronic cash: a card may hold at most 90.00 CNY");
    landed(&mut world, 1_000);
    world.assert_sound();
}

#[test]
fn a_refusal_and_its_reason_are_in_the_cards_history() {
    let mut world = limited(AccountClass::II, FILE);
    world.load(10_001);
    let pan = world.card.pan.expose().to_owned();
    let rows = world.issuer.history(&pan, &mut world.context).unwrap().unwrap();
    let row = rows.iter().find(|row| row.state == "declined").unwrap();
    assert_eq!((row.what.as_str(), row.amount.minor, row.atc), ("load (linked)", 10_001, 1));
    assert!(row.reason.as_ref().unwrap().starts_with("61: limit out_day of class II"), "{row:?}");
}

#[test]
fn check_finds_a_sum_that_is_not_what_moved() {
    for tamper in ["UPDATE used SET minor = minor + 1", "DELETE FROM used", "UPDATE used SET day = day + 1"] {
        let mut world = limited(AccountClass::II, FILE);
        landed(&mut world, 100);
        world.assert_sound();
        world.execute(tamper);
        assert!(!world.issuer.check(&mut world.context).unwrap().is_empty(), "{tamper}");
    }
}

#[test]
fn terminals_at_once_do_not_pass_a_limit() {
    const CLIENTS: u32 = 8;
    let mut world = limited(AccountClass::II, FILE);
    let own: Vec<World> = (3..3 + CLIENTS).map(|number| world.beside_on(number, "L1")).collect();
    let approved: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = own
            .into_iter()
            .map(|mut own| scope.spawn(move || usize::from(own.load(3_000).1.code.is_approved())))
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert_eq!((approved, used(&mut world)[0]), (3, 9_000), "three loads of 30.00 fit in 100.00");
    world.assert_sound();
}

#[test]
fn books_of_before_have_accounts_of_class_one() {
    // The default limits are those of the program.
    let mut context = Context::simulated(1, Discard);
    let mut world = World::new();
    let accounts = world.issuer.accounts(&mut context).unwrap();
    assert!(accounts.iter().all(|account| account.class == AccountClass::I && account.used.is_none()));
}
