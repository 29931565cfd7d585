//! Electronic cash: balance, load, quick and contact payment, second currency.

use super::{ECASH, Table};
use cardwright::air::link::{Endpoint, Interface};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::command::ProcessingOptions;
use cardwright::words::emv::{Afl, CryptogramType};
use cardwright::words::iso7816::ApduCommand;
use cardwright::words::iso7816::command::ReadRecord;
use cardwright::words::pboc::{EcashSet, IddValue, LoadLogRecord, LogRecord};
use cardwright::words::tlv::{Dol, Tag};

const FIRST: EcashSet = EcashSet::FIRST;
const SECOND: EcashSet = EcashSet::SECOND;

fn afl(options: &ProcessingOptions) -> Vec<(u8, u8)> {
    let afl = Afl::parse(options.data.value(tag::AFL).unwrap()).unwrap();
    afl.records().map(|(sfi, record, _)| (sfi, record)).collect()
}

fn load_log(table: &mut Table, number: u8) -> LoadLogRecord {
    let format = Dol::parse(&table.data(tag::LOAD_LOG_FORMAT)).unwrap();
    LoadLogRecord::parse(&format, &table.record(12, number)).unwrap()
}

fn log(table: &mut Table, number: u8) -> LogRecord {
    let format = Dol::parse(&table.data(tag::LOG_FORMAT)).unwrap();
    LogRecord::parse(&format, &table.record(11, number)).unwrap()
}

#[test]
fn the_balance_takes_two_commands() {
    let mut table = Table::new("ecash", Interface::Contactless, &[(tag::EC_BALANCE, 48787)]);
    assert_eq!(table.hex("00A4040008A00000033301010600").status.0, 0x9000);
    assert_eq!(table.hex("80CA9F7900").to_bytes(), [0x9F, 0x79, 6, 0, 0, 0, 4, 0x87, 0x87, 0x90, 0]);
}

#[test]
fn a_load_writes_the_new_total_and_its_log() {
    let mut table = Table::new("ecash", Interface::Contact, &[(tag::EC_BALANCE, 1000)]);
    table.set(tag::TRANSACTION_TYPE, "60");
    table.amount(5000);
    let (atc, arqc) = table.approve(ECASH);
    assert_eq!(table.kept(FIRST), 1000, "nothing moves before the script");
    let put = table.put(atc, arqc, tag::EC_BALANCE, 6000);
    assert_eq!(table.status(&put), 0x9000);
    assert_eq!(table.balance(tag::EC_BALANCE), 6000);
    assert_eq!(table.kept(FIRST), 6000);
    let entry = load_log(&mut table, 1);
    assert_eq!((entry.balance, entry.old_minor, entry.new_minor), (tag::EC_BALANCE, 1000, 6000));
    assert_eq!(entry.atc(), Some(1));
    assert_eq!(table.data(tag::LAST_ONLINE_ATC_REGISTER), [0, 1]);

    // The whole log with its MAC: ATC, count, one entry, four bytes.
    let whole = table.record(12, 0);
    assert_eq!(whole[..3], [0, 1, 1]);
    assert_eq!(whole.len(), 3 + 22 + 4);

    // The same script again within the transaction writes the same total: no harm.
    assert_eq!(table.status(&put), 0x9000);
    assert_eq!(table.kept(FIRST), 6000);

    // In another transaction its MAC fits no more, and nothing else is taken.
    let (atc, arqc) = table.approve(ECASH);
    assert_eq!(table.status(&put), 0x6988);
    let right = table.put(atc, arqc, tag::EC_BALANCE, 9000);
    assert_eq!(table.status(&right), 0x6985);
    assert_eq!(table.kept(FIRST), 6000);

    // The next cryptogram tells the issuer, and the one after it no longer does.
    let told = |table: &mut Table| {
        let aip = table.start(ECASH).aip().unwrap();
        let given = table.generate(CryptogramType::Arqc, tag::CDOL1);
        let iad = table.check(aip.0, &given.data);
        let issuer = table.arpc(given.atc().unwrap(), given.application_cryptogram().unwrap());
        table.ask(&issuer);
        table.generate(CryptogramType::Tc, tag::CDOL2);
        (iad.cvr.has(cardwright::words::pboc::Cvr::LAST_SCRIPT_FAILED), iad.cvr.script_commands())
    };
    assert_eq!(told(&mut table), (true, 1));
    assert_eq!(told(&mut table), (false, 0));
}

#[test]
fn the_issuer_reads_the_balance_in_every_cryptogram() {
    let mut table = Table::new("ecash", Interface::Contact, &[(tag::EC_BALANCE, 38787)]);
    let aip = table.start(ECASH).aip().unwrap();
    let given = table.generate(CryptogramType::Arqc, tag::CDOL1);
    let iad = table.check(aip.0, &given.data);
    assert_eq!(iad.idd.unwrap().0, IddValue::Balance { balance_minor: 38787 });
    assert_eq!(iad.cvr.first_cryptogram(), Some(CryptogramType::Arqc));
    assert_eq!(iad.cvr.second_cryptogram(), None);
}

#[test]
fn a_script_71_runs_before_the_second_generate_ac() {
    let mut table = Table::new("ecash", Interface::Contact, &[]);
    let (atc, arqc) = table.go_online(ECASH);
    table.ask(&table.arpc(atc, arqc));
    let put = table.put(atc, arqc, tag::EC_BALANCE, 700);
    assert_eq!(table.status(&put), 0x9000);
    table.generate(CryptogramType::Tc, tag::CDOL2);
    assert_eq!(table.kept(FIRST), 700);
    let aip = table.start(ECASH).aip().unwrap();
    let given = table.generate(CryptogramType::Arqc, tag::CDOL1);
    assert_eq!(table.check(aip.0, &given.data).cvr.script_commands(), 0, "only those after the second count");
}

#[test]
fn put_data_keeps_its_rules() {
    let mut table = Table::new("ecash", Interface::Contact, &[]);
    let (atc, arqc) = table.approve(ECASH);
    for (tag, minor, status) in [
        (tag::EC_BALANCE, 100_001, 0x6A80),
        (tag::SEGMENT_OFFSET_USED, 0, 0x6A86),
        (tag::AMOUNT_AUTHORISED, 0, 0x6A88),
        (tag::SECOND_BALANCE, 100, 0x6A88),
        (tag::EC_BALANCE_LIMIT, 200_000, 0x9000),
        (tag::EC_BALANCE, 100_001, 0x9000),
    ] {
        let put = table.put(atc, arqc, tag, minor);
        assert_eq!(table.status(&put), status, "{tag}");
    }
    let short = table.script(atc, arqc, [0x04, 0xDA, 0x9F, 0x79], &[0; 5]);
    assert_eq!(table.status(&short), 0x6700);
    let garbage = table.script(atc, arqc, [0x04, 0xDA, 0x9F, 0x79], &[0xAA; 6]);
    assert_eq!(table.status(&garbage), 0x6A80);
    assert_eq!(table.kept(FIRST), 100_001);
}

#[test]
fn scripts_need_a_cryptogram_and_an_authentic_issuer() {
    let mut table = Table::new("ecash", Interface::Contact, &[]);
    table.select(ECASH);
    assert_eq!(table.hex("04DA9F790A00000004878761B9F4A0").status.0, 0x6985);
    let (atc, arqc) = table.go_online(ECASH);
    let mut wrong = table.arpc(atc, arqc);
    wrong.issuer_authentication_data[0] ^= 1;
    assert_eq!(table.status(&wrong.to_apdu()), 0x6300);
    let right = table.arpc(atc, arqc);
    assert_eq!(table.status(&right.to_apdu()), 0x6985, "one try in a transaction");
    let put = table.put(atc, arqc, tag::EC_BALANCE, 700);
    assert_eq!(table.status(&put), 0x6985);
    let second = table.generate(CryptogramType::Tc, tag::CDOL2);
    assert_eq!(second.cid().unwrap().cryptogram_type(), Some(CryptogramType::Aac));
    assert_eq!(table.kept(FIRST), 0);
}

#[test]
fn without_the_bit_in_the_aip_tag_91_comes_through_cdol2() {
    let text = cardwright::roles::card::PROFILES[0].text;
    let text = text.replace("aip = \"1C00\", afl = \"08010300\"", "aip = \"1800\", afl = \"08010300\"");
    let text = text.replace("\"8D\" = \"8A02", "\"8D\" = \"8A02 910A");
    let profile = cardwright::roles::card::Profile::parse(&text).unwrap();
    for (flip, given) in [(0, CryptogramType::Tc), (1, CryptogramType::Aac)] {
        let mut table = Table::with(&profile, Interface::Contact, &[]);
        let (atc, arqc) = table.go_online(ECASH);
        let mut issuer = table.arpc(atc, arqc);
        assert_eq!(table.status(&issuer.to_apdu()), 0x6985);
        issuer.issuer_authentication_data[7] ^= flip;
        table.terminal.put(tag::ISSUER_AUTHENTICATION_DATA, issuer.issuer_authentication_data);
        let second = table.generate(CryptogramType::Tc, tag::CDOL2);
        assert_eq!(second.cid().unwrap().cryptogram_type(), Some(given));
    }
}

#[test]
fn a_quick_payment_moves_the_money_with_the_last_record() {
    let mut table = Table::new("ecash", Interface::Contactless, &[(tag::EC_BALANCE, 5000)]);
    table.amount(1250);
    let options = table.start(ECASH);
    let aip = options.aip().unwrap();
    let iad = table.check(aip.0, &options.data);
    assert_eq!(iad.cvr.first_cryptogram(), Some(CryptogramType::Tc));
    assert_eq!(iad.idd.unwrap().0.balance_minor(), Some(3750));
    assert_eq!(
        options.data.value(tag::AVAILABLE_OFFLINE_SPENDING_AMOUNT),
        Some(&[0, 0, 0, 0, 0x37, 0x50][..])
    );
    assert_eq!(options.data.value(tag::CRYPTOGRAM_INFORMATION_DATA), None);
    let records = afl(&options);
    let (last, others) = records.split_last().unwrap();
    for (sfi, record) in others {
        table.record(*sfi, *record);
    }
    assert_eq!(table.kept(FIRST), 5000);

    // Power lost before the last record: nothing moved, but the counter.
    table.power(Interface::Contactless);
    table.select(ECASH);
    table.record(last.0, last.1);
    assert_eq!((table.kept(FIRST), table.card.memory().log_lengths()), (5000, (0, 0)));
    assert_eq!(table.data(tag::ATC), [0, 1]);

    // To the end.
    table.start(ECASH);
    for (sfi, record) in &records {
        table.record(*sfi, *record);
    }
    assert_eq!(table.kept(FIRST), 3750);
    let entry = log(&mut table, 1);
    assert_eq!((entry.amount_minor(), entry.atc()), (Some(1250), Some(2)));

    // Only the last answer was lost: it can be read again, and moves nothing more.
    table.power(Interface::Contactless);
    table.select(ECASH);
    table.record(last.0, last.1);
    assert_eq!((table.kept(FIRST), table.card.memory().log_lengths().0), (3750, 1));
}

#[test]
fn the_quick_path_decides_by_its_tree() {
    let cases: [(&str, u64, &str, CryptogramType); 10] = [
        ("26000000", 1250, "0156", CryptogramType::Tc),
        ("26800000", 1250, "0156", CryptogramType::Arqc),
        ("26400000", 1250, "0156", CryptogramType::Arqc),
        ("26000000", 5001, "0156", CryptogramType::Arqc),
        ("26000000", 20_001, "0156", CryptogramType::Arqc),
        ("26000000", 0, "0156", CryptogramType::Arqc),
        ("26000000", 1250, "0840", CryptogramType::Arqc),
        ("28000000", 5001, "0156", CryptogramType::Aac),
        ("28000000", 0, "0156", CryptogramType::Aac),
        ("28000000", 1250, "0840", CryptogramType::Aac),
    ];
    for (ttq, amount, currency, expected) in cases {
        let mut table = Table::new("ecash", Interface::Contactless, &[(tag::EC_BALANCE, 5000)]);
        table.set(tag::TTQ, ttq);
        table.set(tag::TRANSACTION_CURRENCY_CODE, currency);
        table.amount(amount);
        let options = table.start(ECASH);
        let iad = table.check(options.aip().unwrap().0, &options.data);
        assert_eq!(iad.cvr.first_cryptogram(), Some(expected), "{ttq} {amount} {currency}");
        assert_eq!(options.data.has(tag::AFL), expected == CryptogramType::Tc);
        table.record(2, 1);
        let left = if expected == CryptogramType::Tc { 5000 - amount } else { 5000 };
        assert_eq!(table.kept(FIRST), left, "{ttq} {amount} {currency}");
    }
    // Neither path; and a CVM that card and reader do not share.
    for ttq in ["00000000", "2C400000", "20400000"] {
        let mut table = Table::new("ecash", Interface::Contactless, &[(tag::EC_BALANCE, 5000)]);
        table.set(tag::TTQ, ttq);
        let apdu = table.start_apdu(ECASH);
        assert_eq!(table.status(&apdu), 0x6985, "{ttq}");
    }
}

#[test]
fn a_signature_is_asked_for_where_that_is_what_both_have() {
    let mut table = Table::new("ecash", Interface::Contactless, &[(tag::EC_BALANCE, 5000)]);
    table.set(tag::TTQ, "22400000");
    let options = table.start(ECASH);
    assert_eq!(options.data.array(tag::CTQ), Some([0x40, 0x00]));
    assert!(options.data.has(tag::AFL));
}

#[test]
fn a_contact_payment_moves_the_money_with_the_tc() {
    let mut table = Table::new("ecash", Interface::Contact, &[(tag::EC_BALANCE, 5000)]);
    table.set(tag::EC_TERMINAL_SUPPORT_INDICATOR, "01");
    table.amount(1250);
    let options = table.start(ECASH);
    assert!(afl(&options).contains(&(1, 4)), "the e-cash path reads 9F74");
    let given = table.generate(CryptogramType::Tc, tag::CDOL1);
    assert_eq!(given.cid().unwrap().cryptogram_type(), Some(CryptogramType::Tc));
    let iad = table.check(options.aip().unwrap().0, &given.data);
    assert_eq!(iad.idd.unwrap().0.balance_minor(), Some(3750));
    assert_eq!(table.kept(FIRST), 3750);
    assert_eq!(log(&mut table, 1).amount_minor(), Some(1250));

    // Other data than at GPO: AAC, and nothing moves.
    table.start(ECASH);
    table.amount(1);
    let given = table.generate(CryptogramType::Tc, tag::CDOL1);
    assert_eq!(given.cid().unwrap().cryptogram_type(), Some(CryptogramType::Aac));
    // Above the balance the debit/credit path is taken, which always goes online.
    table.amount(3751);
    let options = table.start(ECASH);
    assert_eq!(afl(&options).last(), Some(&(1, 3)));
    let given = table.generate(CryptogramType::Tc, tag::CDOL1);
    assert_eq!(given.cid().unwrap().cryptogram_type(), Some(CryptogramType::Arqc));
    assert_eq!(table.kept(FIRST), 3750);
}

#[test]
fn an_approved_online_payment_leaves_electronic_cash_alone() {
    let mut table = Table::new("ecash", Interface::Contact, &[(tag::EC_BALANCE, 5000)]);
    table.approve(ECASH);
    assert_eq!((table.kept(FIRST), table.card.memory().log_lengths()), (5000, (0, 0)));
}

#[test]
fn the_second_currency_is_a_purse_of_its_own() {
    let balances: [(Tag, u64); 2] = [(tag::EC_BALANCE, 5000), (tag::SECOND_BALANCE, 7000)];
    let mut table = Table::new("ecash-dual", Interface::Contactless, &balances);
    table.set(tag::TRANSACTION_CURRENCY_CODE, "0344");
    table.amount(6000);
    let options = table.start(ECASH);
    let iad = table.check(options.aip().unwrap().0, &options.data);
    assert_eq!(iad.idd.unwrap().0.balance_minor(), Some(1000));
    assert_eq!(table.balance(tag::EC_BALANCE), 7000, "9F79 means DF79 within the transaction");
    assert_eq!(table.balance(tag::EC_BALANCE_LIMIT), 200_000);
    table.record(2, 1);
    assert_eq!((table.kept(FIRST), table.kept(SECOND)), (5000, 1000));
    table.select(ECASH);
    assert_eq!((table.balance(tag::EC_BALANCE), table.balance(tag::SECOND_BALANCE)), (5000, 1000));

    // A load of it, over contacts.
    table.power(Interface::Contact);
    let (atc, arqc) = table.approve(ECASH);
    let put = table.put(atc, arqc, tag::SECOND_BALANCE, 200_001);
    assert_eq!(table.status(&put), 0x6985);
    let put = table.put(atc, arqc, tag::SECOND_BALANCE, 200_000);
    assert_eq!(table.status(&put), 0x9000);
    let entry = load_log(&mut table, 1);
    assert_eq!((entry.balance, entry.old_minor, entry.new_minor), (tag::SECOND_BALANCE, 1000, 200_000));
    assert_eq!((table.kept(FIRST), table.kept(SECOND)), (5000, 200_000));
}

#[test]
fn a_load_repays_what_segment_billing_owes() {
    let text = cardwright::roles::card::PROFILES[0].text;
    let text = format!("{text}\"DF62\" = \"000000002000\"\n\"DF63\" = \"000000000500\"\n");
    let profile = cardwright::roles::card::Profile::parse(&text).unwrap();
    let mut table = Table::with(&profile, Interface::Contact, &[]);
    let (atc, arqc) = table.approve(ECASH);
    let put = table.put(atc, arqc, tag::EC_BALANCE, 3000);
    assert_eq!(table.status(&put), 0x9000);
    assert_eq!((table.balance(tag::EC_BALANCE), table.balance(tag::SEGMENT_OFFSET_USED)), (2500, 0));
}

#[test]
fn a_load_by_radio_takes_the_full_path() {
    let mut table = Table::new("ecash", Interface::Contactless, &[]);
    table.set(tag::TTQ, "56000000");
    let (atc, arqc) = table.approve(ECASH);
    let put = table.put(atc, arqc, tag::EC_BALANCE, 3000);
    assert_eq!(table.status(&put), 0x9000);
    assert_eq!(table.kept(FIRST), 3000);
}

#[test]
fn logs_are_rings_of_ten() {
    let mut table = Table::new("ecash", Interface::Contactless, &[(tag::EC_BALANCE, 5000)]);
    table.select(ECASH);
    assert_eq!(table.status(&ReadRecord { sfi: 11, record: 1 }.to_apdu()), 0x6A83);
    assert_eq!(table.status(&ReadRecord { sfi: 12, record: 0 }.to_apdu()), 0x6A83);
    for amount in 1..=12 {
        table.amount(amount);
        table.start(ECASH);
        table.record(2, 1);
    }
    assert_eq!(log(&mut table, 1).amount_minor(), Some(12));
    assert_eq!(log(&mut table, 10).amount_minor(), Some(3));
    assert_eq!(table.status(&ReadRecord { sfi: 11, record: 11 }.to_apdu()), 0x6A83);
    table.card.power_off();
    table.power(Interface::Contact);
    let (atc, arqc) = table.approve(ECASH);
    for minor in 1..=12 {
        let put = table.put(atc, arqc, tag::EC_BALANCE, minor);
        assert_eq!(table.status(&put), 0x9000);
    }
    let whole = table.record(12, 0);
    assert_eq!((whole[2], whole.len()), (10, 3 + 10 * 22 + 4));
}
