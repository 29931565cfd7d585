//! The `debit` card under a contact kernel that nobody here wrote: the crate `emv`.

use crate::card::{DEBIT, PIN, Table};
use cardwright::air::link::{Endpoint, Interface};
use cardwright::words::dictionary::tag;
use cardwright::words::tlv::{Dol, TlvStore};
use emv::config::{AidsConfig, TerminalConfig, assemble_terminal};
use emv::contact::online_processing::{OnlineAuthorisationOutcome, OnlineAuthorisationResponse};
use emv::contact::terminal::Terminal;
use emv::contact::transaction::TransactionInputs;
use emv::contact::transaction_driver::Transaction;
use emv::contact::transaction_flow::{
    HostMediated, TransactionFlowStep, start, submit_authorisation_response, submit_pin,
};
use emv::core::apdu::{Command, Response};
use emv::core::card_reader::CardReader;
use emv::core::generate_ac::GenerateAcResponse;
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

/// The card in the kernel's reader, and what went over it.
#[derive(Clone)]
struct Reader(Rc<RefCell<(Table, Exchanges)>>);

impl CardReader for Reader {
    type Error = emv::Error;

    fn transmit(&mut self, command: &Command) -> Result<Response, Self::Error> {
        let bytes = command.to_bytes()?;
        let (table, exchanges) = &mut *self.0.borrow_mut();
        let answer = table.card.process(&bytes, &mut table.context).unwrap();
        exchanges.push((bytes, answer.clone()));
        Response::parse(&answer)
    }
}

impl Reader {
    fn new() -> Self {
        Self(Rc::new(RefCell::new((Table::new("debit", Interface::Contact, &[]), Vec::new()))))
    }

    /// Answers to the commands of this instruction: status words.
    fn answers(&self, ins: u8) -> Vec<[u8; 2]> {
        let (_, exchanges) = &*self.0.borrow();
        let of = exchanges.iter().filter(|(command, _)| command[1] == ins);
        of.map(|(_, answer)| *answer.last_chunk::<2>().unwrap()).collect()
    }

    /// Verifies the first cryptogram over the data that the kernel sent, as an issuer
    /// would with what it gets from the terminal; returns tag 91 by which it approves.
    fn issuer(&self, first: &GenerateAcResponse) -> Vec<u8> {
        let (table, exchanges) = &mut *self.0.borrow_mut();
        let (command, answer) = exchanges.iter().rfind(|(command, _)| command[1] == 0xAE).unwrap();
        let cdol = Dol::parse(&table.element(tag::CDOL1)).unwrap();
        let sent = &command[5..5 + usize::from(command[4])];
        table.terminal = cdol.split(sent).unwrap().into_iter().collect::<TlvStore>();
        // Format 1: CID, ATC, cryptogram, issuer application data.
        let value = &answer[2..answer.len() - 2];
        let (atc, arqc): ([u8; 2], _) = (value[1..3].try_into().unwrap(), value[3..11].try_into().unwrap());
        assert_eq!(first.atc, atc);
        let mut given = TlvStore::new();
        given.put(tag::ATC, &value[1..3]);
        given.put(tag::APPLICATION_CRYPTOGRAM, &value[3..11]);
        given.put(tag::ISSUER_APPLICATION_DATA, &value[11..]);
        table.check([0x3D, 0x00], &given);
        table.arpc(atc, arqc).issuer_authentication_data
    }
}

fn terminal(tac_denial: &str) -> Terminal {
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
    assemble_terminal(&TerminalConfig::parse(TERMINAL).unwrap(), &AidsConfig::parse(&aids).unwrap()).unwrap()
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

/// Plaintext PIN to the card, then the request for the issuer.
fn to_the_issuer(tx: &mut Transaction<'_, Reader, HostMediated>) -> GenerateAcResponse {
    let digits: Vec<u8> = PIN.bytes().map(|digit| digit - b'0').collect();
    let step = start(tx, &[], &[], &[], None).unwrap();
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
    let response = approved(reader.issuer(&first));
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
    let mut forged = reader.issuer(&first);
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
