//! What the card refuses and why: wrong commands, states, PIN tries, blocks, the
//! counter's end; and a memory that fails.

use super::{DEBIT, ECASH, PIN, Table, memory};
use cardwright::air::link::{Endpoint, Interface, LinkError};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::SealKey;
use cardwright::roles::card::{CardError, CardFile, CardMemory, CardStorage, Profile, Simulator};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::CryptogramType;
use cardwright::words::iso7816::command::{PinBlock, PresentedPin, Verify};
use cardwright::words::iso7816::{ApduCommand, CommandApdu};
use cardwright::words::pboc::{Cvr, EcashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

#[test]
fn wrong_commands_get_their_status_words() {
    let mut table = Table::new("ecash", Interface::Contact, &[]);
    for (hex, status) in [
        ("", 0x6700),
        ("00A4", 0x6700),
        ("00A4040008A0", 0x6700),
        ("FFCA000000", 0x6E00),
        ("0086000008", 0x6D00),
        ("0084000008", 0x6985),
        ("0088000000", 0x6985),
        ("00A4000002 3F00", 0x6A86),
        ("00A404040100", 0x6A86),
        ("80CA9F7900", 0x6985),
        ("00B2010C00", 0x6985),
        ("80A8000002830000", 0x6985),
        ("0020008008 24123456FFFFFFFF", 0x6985),
    ] {
        assert_eq!(table.hex(hex).status.0, status, "{hex}");
    }
    table.select(ECASH);
    for (hex, status) in [
        ("80CA9F2600", 0x6A88),
        ("80CADF7900", 0x6A88),
        ("00B2010800", 0x6A86),
        ("80A8000002830000", 0x6700),
        ("80A8000003 810101", 0x6A80),
        ("80A8000002 83FF", 0x6A80),
        ("80AE8000 01 00 00", 0x6985),
        ("0082000008 0000000000000000", 0x6985),
        ("0020000008 2412345678FFFFFF", 0x6A86),
        ("00200080 03 123456", 0x6700),
    ] {
        assert_eq!(table.hex(hex).status.0, status, "{hex}");
    }
    assert_eq!(table.card.memory().atc(), 0, "none of them counts");
}

#[test]
fn the_order_of_commands_is_kept() {
    let mut table = Table::new("ecash", Interface::Contact, &[]);
    let start = table.start_apdu(ECASH);
    assert_eq!(table.status(&start), 0x9000);
    assert_eq!(table.status(&start), 0x6985, "once after a selection");
    let first = table.generate_apdu(CryptogramType::Arqc, tag::CDOL1);
    let mut long = first.clone();
    long.data.push(0);
    assert_eq!(table.status(&long), 0x6700);
    assert_eq!(table.status(&first), 0x9000, "a wrong length costs nothing");
    let second = table.generate_apdu(CryptogramType::Tc, tag::CDOL2);
    assert_eq!(table.status(&second), 0x9000);
    assert_eq!(table.status(&second), 0x6985, "there is no third");
    assert_eq!(table.card.memory().atc(), 1);
}

#[test]
fn each_decision_says_why() {
    let mut table = Table::new("ecash", Interface::Contactless, &[]);
    table.start(ECASH);
    let events = table.events.events();
    let decision = events.iter().find(|event| event.name == "ARQC").unwrap();
    assert_eq!((decision.speaker, decision.reason.as_ref()), ("card", "the amount is above the balance"));
    assert!(decision.named_value("CVR").is_some());
}

#[test]
fn a_wrong_pin_costs_a_try_and_a_right_one_gives_them_back() {
    let mut table = Table::new("debit", Interface::Contact, &[]);
    table.select(DEBIT);
    assert_eq!(table.status(&Verify { pin: None }.to_apdu()), 0x63C3);
    assert_eq!(table.verify("0000"), 0x63C2);
    table.power(Interface::Contact);
    table.select(DEBIT);
    assert_eq!(table.verify("0000"), 0x63C1, "power gives no try back");
    assert_eq!(table.verify(PIN), 0x9000);
    assert_eq!(table.data(tag::PIN_TRY_COUNTER), [3]);
    for left in [0x63C2, 0x63C1, 0x63C0] {
        assert_eq!(table.verify("9999"), left);
    }
    assert_eq!(table.verify(PIN), 0x6983);
    let aip = table.start(DEBIT).aip().unwrap();
    let given = table.generate(CryptogramType::Arqc, tag::CDOL1);
    assert_eq!(given.cid().unwrap().cryptogram_type(), Some(CryptogramType::Aac));
    assert!(table.check(aip.0, &given.data).cvr.has(Cvr::PIN_TRY_LIMIT_EXCEEDED));
}

#[test]
fn the_cvr_tells_of_the_pin() {
    let mut table = Table::new("debit", Interface::Contact, &[]);
    let aip = table.start(DEBIT).aip().unwrap();
    assert_eq!(table.verify("0000"), 0x63C2);
    assert_eq!(table.verify(PIN), 0x9000);
    let given = table.generate(CryptogramType::Arqc, tag::CDOL1);
    let cvr = table.check(aip.0, &given.data).cvr;
    assert!(cvr.has(Cvr::OFFLINE_PIN_PERFORMED) && !cvr.has(Cvr::OFFLINE_PIN_FAILED));
    assert!(cvr.has(Cvr::NEW_CARD));
}

/// A storage that fails from a given commit on, and keeps what landed.
struct Failing {
    left: AtomicUsize,
    landed: Arc<Mutex<Vec<CardMemory>>>,
}

impl CardStorage for Failing {
    fn place(&self) -> String {
        "a memory that fails".into()
    }

    fn commit(&mut self, memory: &CardMemory, _: &mut Context) -> Result<(), CardError> {
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            let cause = "no space left".into();
            return Err(CardError::File { doing: "write", path: "x.card".into(), cause });
        }
        self.landed.lock().unwrap().push(memory.clone());
        Ok(())
    }
}

#[test]
fn a_try_is_taken_before_the_pin_is_looked_at() {
    let profile = Profile::named("debit").unwrap();
    let landed = Arc::new(Mutex::new(Vec::new()));
    let storage = Failing { left: AtomicUsize::new(1), landed: landed.clone() };
    let mut card = Simulator::new(memory(&profile, &[]), storage);
    let mut context = Context::simulated(1, Discard);
    card.power_on(Interface::Contact, &mut context);
    let mut send = |apdu: CommandApdu| card.process(&apdu.to_bytes(), &mut context);
    send(CommandApdu::new(0, 0xA4, 4, 0).data([0xA0, 0, 0, 3, 0x33])).unwrap();
    // The right PIN: the memory fails when the tries are to be given back.
    let answer = send(Verify { pin: PinBlock::from_digits(PIN).map(PresentedPin::Plain) }.to_apdu());
    assert!(matches!(answer, Err(LinkError::Io { .. })));
    assert_eq!(landed.lock().unwrap().iter().map(CardMemory::pin_tries_left).collect::<Vec<_>>(), [2]);
    assert_eq!(card.memory().pin_tries_left(), 2);
}

#[test]
fn a_memory_that_fails_leaves_the_card_as_it_was() {
    let profile = Profile::named("ecash").unwrap();
    let storage = Failing { left: AtomicUsize::new(1), landed: Arc::default() };
    let mut table = Table::with(&profile, Interface::Contactless, &[]);
    table.card = Simulator::new(memory(&profile, &[(tag::EC_BALANCE, 5000)]), storage);
    table.power(Interface::Contactless);
    table.start(ECASH);
    let read = CommandApdu::new(0, 0xB2, 1, 0x14).le(256).to_bytes();
    assert!(table.card.process(&read, &mut table.context).is_err());
    assert_eq!(table.kept(EcashSet::FIRST), 5000);
    assert_eq!(table.card.memory().log_lengths(), (0, 0));
}

#[test]
fn a_blocked_application_answers_aac_until_it_is_unblocked() {
    let mut table = Table::new("ecash", Interface::Contact, &[(tag::EC_BALANCE, 5000)]);
    let (atc, arqc) = table.approve(ECASH);
    let block = table.script(atc, arqc, [0x84, 0x1E, 0, 0], &[]);
    assert_eq!(table.status(&block), 0x9000);
    let select = table.hex("00A4040008A00000033301010600");
    assert_eq!((select.status.0, select.data.is_empty()), (0x6283, false));
    // An AAC on the quick path too.
    table.power(Interface::Contactless);
    table.hex("00A4040008A00000033301010600");
    let start = start_blocked(&mut table);
    assert_eq!(table.status(&start), 0x9000);
    table.record(2, 1);
    assert_eq!(table.kept(EcashSet::FIRST), 5000);
    // The AAC of a blocked application serves to unblock it.
    table.power(Interface::Contact);
    table.hex("00A4040008A00000033301010600");
    assert_eq!(table.hex("80A800000B8309 00 000000000100 0156").status.0, 0x9000);
    let aac = table.generate(CryptogramType::Arqc, tag::CDOL1);
    assert_eq!(aac.cid().unwrap().cryptogram_type(), Some(CryptogramType::Aac));
    let (atc, cryptogram) = (aac.atc().unwrap(), aac.application_cryptogram().unwrap());
    let unblock = table.script(atc, cryptogram, [0x84, 0x18, 0, 0], &[]);
    assert_eq!(table.status(&unblock), 0x9000);
    table.approve(ECASH);
}

fn start_blocked(table: &mut Table) -> CommandApdu {
    use cardwright::words::emv::{assemble, command::GetProcessingOptions};
    let dol = cardwright::base::bytes::parse_hex(
        "9F6604 9F0206 9F0306 9F1A02 9505 5F2A02 9A03 9C01 9F3704 9F7A01 9F2103 9F4E14",
    );
    let dol = cardwright::words::tlv::Dol::parse(&dol.unwrap()).unwrap();
    GetProcessingOptions { pdol_data: assemble(&dol, &table.terminal) }.to_apdu()
}

#[test]
fn a_blocked_card_is_dead() {
    let mut table = Table::new("ecash", Interface::Contact, &[]);
    let (atc, arqc) = table.approve(ECASH);
    let block = table.script(atc, arqc, [0x84, 0x16, 0, 0], &[]);
    assert_eq!(table.status(&block), 0x9000);
    assert_eq!(table.hex("00A4040008A00000033301010600").status.0, 0x6A81);
    table.power(Interface::Contactless);
    assert_eq!(table.hex("00A4040008A00000033301010600").status.0, 0x6A81);
}

#[test]
fn the_last_counter_value_locks_the_application() {
    let mut table = Table::new("debit", Interface::Contactless, &[]);
    let start = table.start_apdu(DEBIT);
    let select = CommandApdu::new(0, 0xA4, 4, 0).data([0xA0, 0, 0, 3, 0x33]);
    for _ in 0..0xFFFF {
        assert_eq!(table.status(&select), 0x9000);
        assert_eq!(table.status(&start), 0x9000);
    }
    assert_eq!(table.data(tag::ATC), [0xFF, 0xFF]);
    table.select(DEBIT);
    assert_eq!(table.status(&start), 0x6985);
    assert_eq!(table.card.memory().atc(), 0xFFFF);
}

#[test]
fn an_unfinished_online_transaction_sends_the_next_one_online() {
    let mut table = Table::new("debit", Interface::Contact, &[]);
    table.approve(DEBIT);
    let offline = |table: &mut Table| {
        let aip = table.start(DEBIT).aip().unwrap();
        let given = table.generate(CryptogramType::Tc, tag::CDOL1);
        table.check(aip.0, &given.data);
        given.cid().unwrap().cryptogram_type().unwrap()
    };
    assert_eq!(offline(&mut table), CryptogramType::Tc);
    table.go_online(DEBIT);
    table.power(Interface::Contact);
    assert_eq!(offline(&mut table), CryptogramType::Arqc);
    table.approve(DEBIT);
    for expected in [CryptogramType::Tc, CryptogramType::Tc, CryptogramType::Tc, CryptogramType::Arqc] {
        assert_eq!(offline(&mut table), expected, "three offline in a row at most");
    }
}

#[test]
fn a_terminal_that_cannot_go_online_meets_the_upper_limits() {
    let mut table = Table::new("debit", Interface::Contact, &[]);
    table.set(tag::AUTHORISATION_RESPONSE_CODE, "5933");
    table.go_online(DEBIT);
    let second = table.generate(CryptogramType::Tc, tag::CDOL2);
    assert_eq!(second.cid().unwrap().cryptogram_type(), Some(CryptogramType::Tc));
    table.amount(100_001);
    table.go_online(DEBIT);
    let second = table.generate(CryptogramType::Tc, tag::CDOL2);
    assert_eq!(second.cid().unwrap().cryptogram_type(), Some(CryptogramType::Aac));
}

#[test]
fn a_debit_card_by_radio_asks_its_issuer() {
    let mut table = Table::new("debit", Interface::Contactless, &[]);
    let options = table.start(DEBIT);
    let iad = table.check(options.aip().unwrap().0, &options.data);
    assert_eq!(iad.cvr.first_cryptogram(), Some(CryptogramType::Arqc));
}

#[test]
fn a_card_file_is_sealed_and_refuses_what_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.card");
    let profile = Profile::named("ecash").unwrap();
    let mut context = Context::simulated(1, Discard);
    let key = SealKey::from_bytes([7; 32]);
    let fresh = memory(&profile, &[(tag::EC_BALANCE, 5000)]);
    let file = CardFile::create(&path, key.clone(), &fresh, &mut context).unwrap();
    assert!(matches!(CardFile::open(&path, key.clone()), Err(CardError::InUse { .. })));
    let mut table = Table::with(&profile, Interface::Contactless, &[]);
    table.card = Simulator::new(fresh.clone(), file);
    table.power(Interface::Contactless);
    table.amount(1250);
    table.start(ECASH);
    table.record(2, 1);
    drop(table);

    let (_, read) = CardFile::open(&path, key.clone()).unwrap();
    assert_eq!((read.balance(EcashSet::FIRST), read.atc(), read.psn()), (Some(3750), 1, 1));
    let bytes = std::fs::read(&path).unwrap();
    for plain in [super::pan().to_bcd(), super::pan().expose().as_bytes().to_vec(), b"ecash".to_vec()] {
        assert!(!bytes.windows(plain.len()).any(|window| window == plain), "nothing is readable");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let open = |bytes: &[u8], key: SealKey| {
        std::fs::write(&path, bytes).unwrap();
        CardFile::open(&path, key).map(|_| ())
    };
    let wrong = open(&bytes, SealKey::from_bytes([8; 32]));
    assert!(matches!(wrong, Err(CardError::Sealed { .. })), "{wrong:?}");
    let mut later = bytes.clone();
    later[7] = 2;
    assert!(matches!(open(&later, key.clone()), Err(CardError::Later { found: 2, known: 1, .. })));
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(open(&changed, key.clone()), Err(CardError::Sealed { .. })));
    assert!(matches!(open(b"{}", key.clone()), Err(CardError::NoCardFile { .. })));
    assert!(
        CardFile::create(&path, key.clone(), &fresh, &mut context).is_err(),
        "a file is never overwritten"
    );
    assert!(CardFile::open(&folder.path().join("none.card"), key).is_err());
}
