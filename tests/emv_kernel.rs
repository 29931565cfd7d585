//! The `debit` card under a contact kernel that nobody here wrote: the crate `emv`.

use crate::card::{DEBIT, PIN, Table};
use cardwright::air::link::{Endpoint, Interface};
use cardwright::base::bytes::Hex;
use cardwright::roles::bureau::Authority;
use cardwright::words::dictionary::tag;
use cardwright::words::emv::certificate::Suite;
use cardwright::words::tlv::{Dol, TlvStore};
use emv::config::{AidsConfig, CapkConfig, TerminalConfig, assemble_terminal};
use emv::contact::online_processing::{OnlineAuthorisationOutcome, OnlineAuthorisationResponse};
use emv::contact::terminal::Terminal;
use emv::contact::transaction::TransactionInputs;
use emv::contact::transaction_driver::Transaction;
use emv::contact::transaction_flow::{
    HostMediated, TransactionFlowStep, start, submit_authorisation_response, submit_pin,
};
use emv::core::apdu::{Command, Response};
use emv::core::card_reader::CardReader;
use emv::core::crl::CrlEntry;
use emv::core::generate_ac::GenerateAcResponse;
use emv::core::oda::CaPublicKey;
use emv::core::tag_store::TagStore;
use emv::core::tags;
use emv::de::authorisation_response_code::AuthorisationResponseCode;
use std::cell::RefCell;
use std::rc::Rc;

const TERMINAL: &str = r#"
ifd_serial_number = "CWTEST01"
terminal_country_code = 156
terminal_type = "22"
terminal_capabilities = "E0F8C8"
additional_terminal_capabilities = "6000F0A001"
cardholder_selection_and_confirmation_supported = false
"#;

/// Commands and answers.
type Exchanges = Vec<(Vec<u8>, Vec<u8>)>;

/// How a command begins, and which byte of its answer has another last bit.
type Corrupted = (&'static [u8], usize);

/// The card in the kernel's reader, and what went over it.
#[derive(Clone)]
struct Reader(Rc<RefCell<(Table, Exchanges)>>, Option<Corrupted>);

impl CardReader for Reader {
    type Error = emv::Error;

    fn transmit(&mut self, command: &Command) -> Result<Response, Self::Error> {
        let bytes = command.to_bytes()?;
        let (table, exchanges) = &mut *self.0.borrow_mut();
        let mut answer = table.card.process(&bytes, &mut table.context).unwrap();
        if let Some((_, at)) = self.1.filter(|(begins, _)| bytes.starts_with(begins)) {
            answer[at] ^= 1;
        }
        exchanges.push((bytes, answer.clone()));
        Response::parse(&answer)
    }
}

impl Reader {
    fn new() -> Self {
        Self::corrupted(None)
    }

    fn corrupted(corrupted: Option<Corrupted>) -> Self {
        let table = Table::new("debit", Interface::Contact, &[]);
        Self(Rc::new(RefCell::new((table, Vec::new()))), corrupted)
    }

    /// Answers to the commands of this instruction: status words.
    fn answers(&self, ins: u8) -> Vec<[u8; 2]> {
        let (_, exchanges) = &*self.0.borrow();
        let of = exchanges.iter().filter(|(command, _)| command[1] == ins);
        of.map(|(_, answer)| *answer.last_chunk::<2>().unwrap()).collect()
    }

    /// Verifies the first cryptogram over the data that the kernel sent, as an issuer
    /// would with what it gets from the terminal; returns tag 91 by which it approves.
    fn issuer(&self, first: &GenerateAcResponse, arqc: [u8; 8]) -> Vec<u8> {
        let (table, exchanges) = &mut *self.0.borrow_mut();
        let (command, _) = exchanges.iter().rfind(|(command, _)| command[1] == 0xAE).unwrap();
        let cdol = Dol::parse(&table.element(tag::CDOL1)).unwrap();
        let sent = &command[5..5 + usize::from(command[4])];
        table.terminal = cdol.split(sent).unwrap().into_iter().collect::<TlvStore>();
        let mut given = TlvStore::new();
        given.put(tag::ATC, first.atc);
        given.put(tag::APPLICATION_CRYPTOGRAM, arqc);
        given.put(tag::ISSUER_APPLICATION_DATA, first.iad.clone().unwrap());
        table.check([0x3D, 0x00], &given);
        table.arpc(first.atc, arqc).issuer_authentication_data
    }
}

fn terminal(tac_denial: &str) -> Terminal {
    terminal_with("00", tac_denial)
}

/// A terminal whose third byte of capabilities says which data authentication it can.
fn terminal_with(methods: &str, tac_denial: &str) -> Terminal {
    let aids = format!(
        r#"
[defaults]
merchant_category_code = 5999
merchant_identifier = "CARDWRIGHT00001"
merchant_name_and_location = "test"
terminal_identification = "CWTEST01"
transaction_currency_code = 156
transaction_currency_exponent = 2
[[aids]]
aid = "{DEBIT}"
application_version_number = "0030"
partial_match_allowed = true
terminal_floor_limit = 1000
tac_denial = "{tac_denial}"
tac_online = "FCF8FCF800"
tac_default = "FC50848000"
"#
    );
    let terminal = TERMINAL.replace("E0F8C8", &format!("E0F8{methods}"));
    assemble_terminal(&TerminalConfig::parse(&terminal).unwrap(), &AidsConfig::parse(&aids).unwrap()).unwrap()
}

fn inputs() -> TransactionInputs {
    TransactionInputs {
        amount_authorised: 1250,
        transaction_currency_code: 156,
        transaction_currency_exponent: 2,
        transaction_date: [0x26, 0x11, 0x21],
        transaction_time: [0x08, 0x00, 0x00],
        transaction_sequence_counter: 1,
        unpredictable_number: [0x11, 0x22, 0x33, 0x44],
        ..TransactionInputs::default()
    }
}

fn approved(issuer_authentication_data: Vec<u8>) -> OnlineAuthorisationResponse {
    OnlineAuthorisationResponse {
        authorisation_response_code: AuthorisationResponseCode::parse(b"00").unwrap(),
        issuer_authentication_data: Some(issuer_authentication_data),
        issuer_scripts: Vec::new(),
    }
}

/// The keys of the authority that signs our test cards, as the kernel reads them.
fn ca_keys() -> Vec<CaPublicKey> {
    let keys = Authority::test().unwrap().public_keys();
    let rsa = keys.iter().filter(|key| key.key.suite() == Suite::Rsa);
    let entries = rsa.map(|key| {
        let (modulus, exponent) = (Hex(key.key.bytes()), Hex(key.key.exponent()));
        format!(
            "[[capk_rsa]]\nrid = \"{}\"\nindex = \"{:02X}\"\nmodulus = \"{modulus}\"\nexponent = \"{exponent}\"\n",
            Hex(&key.rid),
            key.index,
        )
    });
    CapkConfig::parse(&entries.collect::<String>()).unwrap().into_kernel().unwrap().0
}

/// Takes out what the kernel would not write a second time: it calls the number of the
/// second combined signature redundant.
fn forget_first_signature(tx: &mut Transaction<'_, Reader, HostMediated>) {
    let mut kept = TagStore::new();
    for (tag, element) in tx.ctx.tag_store.iter() {
        if ![tags::ICC_DYNAMIC_NUMBER, tags::APPLICATION_CRYPTOGRAM].contains(&tag) {
            kept.insert_primitive(tag, element.value.clone(), element.source).unwrap();
        }
    }
    tx.ctx.tag_store = kept;
}

/// Plaintext PIN to the card, then the request for the issuer.
fn to_the_issuer(tx: &mut Transaction<'_, Reader, HostMediated>) -> GenerateAcResponse {
    let digits: Vec<u8> = PIN.bytes().map(|digit| digit - b'0').collect();
    let step = start(tx, &ca_keys(), &[], &[], None).unwrap();
    // The kernel names the last PIN method of the CVM list, and asks for the first one:
    // that the card sees a VERIFY is checked by its answers.
    assert!(matches!(step, TransactionFlowStep::CardholderVerification { .. }), "{step:?}");
    let step = submit_pin(tx, &[], None, &digits, |_| true).unwrap();
    let TransactionFlowStep::OnlineRequest { first_generate_ac } = step else {
        panic!("expected the kernel to go online, found {step:?}")
    };
    first_generate_ac
}

#[test]
fn takes_the_debit_card_online_to_the_second_generate_ac() {
    let (reader, terminal) = (Reader::new(), terminal("0000000000"));
    let mut tx = Transaction::new(reader.clone(), &terminal, inputs(), HostMediated);
    let first = to_the_issuer(&mut tx);
    let response = approved(reader.issuer(&first, first.ac.unwrap()));
    let outcome = OnlineAuthorisationOutcome::Approved;
    let step = submit_authorisation_response(&mut tx, &first, &response, outcome).unwrap();
    assert!(matches!(step, TransactionFlowStep::Approved { .. }), "{step:?}");
    assert_eq!(reader.answers(0x20), [[0x90, 0x00]], "the PIN went to the card");
    assert_eq!(reader.answers(0x82), [[0x90, 0x00]], "the issuer was authenticated");
    assert_eq!(reader.answers(0xAE), [[0x90, 0x00]; 2]);
    assert_eq!(reader.0.borrow().0.card.memory().log_lengths().0, 1);
}

#[test]
fn declines_when_the_issuer_is_not_authentic() {
    let (reader, terminal) = (Reader::new(), terminal("0000000000"));
    let mut tx = Transaction::new(reader.clone(), &terminal, inputs(), HostMediated);
    let first = to_the_issuer(&mut tx);
    let mut forged = reader.issuer(&first, first.ac.unwrap());
    forged[0] ^= 1;
    let outcome = OnlineAuthorisationOutcome::Approved;
    let step = submit_authorisation_response(&mut tx, &first, &approved(forged), outcome).unwrap();
    assert!(matches!(step, TransactionFlowStep::Declined { .. }), "{step:?}");
    assert_eq!(reader.answers(0x82), [[0x63, 0x00]]);
}

#[test]
fn declines_the_debit_card_offline() {
    // The terminal denies what exceeds its floor limit: TVR bit 4.8.
    let (reader, terminal) = (Reader::new(), terminal("0000008000"));
    let mut tx = Transaction::new(reader.clone(), &terminal, inputs(), HostMediated);
    start(&mut tx, &[], &[], &[], None).unwrap();
    let digits: Vec<u8> = PIN.bytes().map(|digit| digit - b'0').collect();
    let step = submit_pin(&mut tx, &[], None, &digits, |_| true).unwrap();
    assert!(matches!(step, TransactionFlowStep::Declined { .. }), "{step:?}");
    assert_eq!(reader.answers(0xAE), [[0x90, 0x00]], "one GENERATE AC, for an AAC");
    assert_eq!(reader.answers(0x82), Vec::<[u8; 2]>::new());
}

/// DDA failed, CDA failed, and whether data were authenticated, after the first GENERATE AC.
fn found(tx: &Transaction<'_, Reader, HostMediated>) -> (bool, bool, bool) {
    let tvr = &tx.ctx.tvr;
    assert!(!tvr.offline_data_authentication_was_not_performed);
    (tvr.dda_failed, tvr.cda_failed, tx.ctx.tsi.offline_data_authentication_was_performed)
}

#[test]
fn accepts_our_dda_card() {
    let (reader, terminal) = (Reader::new(), terminal_with("40", "0000000000"));
    let mut tx = Transaction::new(reader.clone(), &terminal, inputs(), HostMediated);
    let first = to_the_issuer(&mut tx);
    assert_eq!(found(&tx), (false, false, true));
    assert_eq!(reader.answers(0x88), [[0x90, 0x00]], "INTERNAL AUTHENTICATE");
    let response = approved(reader.issuer(&first, first.ac.unwrap()));
    let outcome = OnlineAuthorisationOutcome::Approved;
    let step = submit_authorisation_response(&mut tx, &first, &response, outcome).unwrap();
    assert!(matches!(step, TransactionFlowStep::Approved { .. }), "{step:?}");
}

#[test]
fn accepts_our_cda_card_at_both_cryptograms() {
    let (reader, terminal) = (Reader::new(), terminal_with("08", "0000000000"));
    let mut tx = Transaction::new(reader.clone(), &terminal, inputs(), HostMediated);
    let first = to_the_issuer(&mut tx);
    assert_eq!(found(&tx), (false, false, true));
    assert!(first.sdad.is_some() && first.ac.is_none(), "a combined signature");
    let arqc = tx.ctx.tag_store.get(tags::APPLICATION_CRYPTOGRAM).unwrap().try_into().unwrap();
    let response = approved(reader.issuer(&first, arqc));
    forget_first_signature(&mut tx);
    let outcome = OnlineAuthorisationOutcome::Approved;
    let step = submit_authorisation_response(&mut tx, &first, &response, outcome).unwrap();
    let TransactionFlowStep::Approved { generate_ac, .. } = step else { panic!("{step:?}") };
    assert!(generate_ac.sdad.is_some(), "a combined signature once more");
}

#[test]
fn refuses_our_faulty_dda_cards() {
    // A wrong bit in the signature, the card's certificate, the issuer's, the static data.
    let faults: [(&'static [u8], usize); 4] = [
        (&[0x00, 0x88], 60),
        (&[0x00, 0xB2, 0x06, 0x0C], 60),
        (&[0x00, 0xB2, 0x05, 0x0C], 60),
        (&[0x00, 0xB2, 0x03, 0x0C], 20),
    ];
    for fault in faults {
        let (reader, terminal) = (Reader::corrupted(Some(fault)), terminal_with("40", "0000000000"));
        let mut tx = Transaction::new(reader, &terminal, inputs(), HostMediated);
        // A list that has a wrong bit may end the transaction later on.
        let _ = start(&mut tx, &ca_keys(), &[], &[], None);
        assert!(tx.ctx.tvr.dda_failed, "{fault:02X?}");
    }
}

#[test]
fn refuses_cards_of_no_known_authority_and_revoked_ones() {
    let revoked = CrlEntry { rid: [0xA0, 0, 0, 0x03, 0x33], ca_pk_index: 0xE1, cert_serial: [0, 0, 1] };
    for (keys, list) in [(Vec::new(), Vec::new()), (ca_keys(), vec![revoked])] {
        let terminal = terminal_with("40", "0000000000");
        let mut tx = Transaction::new(Reader::new(), &terminal, inputs(), HostMediated);
        start(&mut tx, &keys, &[], &list, None).unwrap();
        assert_eq!(found(&tx), (true, false, true));
    }
}

#[test]
fn refuses_our_faulty_cda_card() {
    // Within 9F4B of the first GENERATE AC, and the counter beside it.
    for at in [60, 11] {
        let reader = Reader::corrupted(Some((&[0x80, 0xAE, 0x90], at)));
        let terminal = terminal_with("08", "0000000000");
        let mut tx = Transaction::new(reader.clone(), &terminal, inputs(), HostMediated);
        start(&mut tx, &ca_keys(), &[], &[], None).unwrap();
        let digits: Vec<u8> = PIN.bytes().map(|digit| digit - b'0').collect();
        let step = submit_pin(&mut tx, &[], None, &digits, |_| true);
        assert!(tx.ctx.tvr.cda_failed, "{at}");
        assert!(!matches!(step, Ok(TransactionFlowStep::OnlineRequest { .. })), "{step:?}");
    }
}
