//! Whole conversations with the simulated card, the issuer's part played here with
//! the functions of `words`.

mod ecash;
mod limits;
mod random;

use cardwright::air::link::{Endpoint, Interface};
use cardwright::base::bytes::{Secret, parse_hex, u64_to_bcd};
use cardwright::base::context::Context;
use cardwright::base::event::Collector;
use cardwright::roles::bureau::KeySet;
use cardwright::roles::card::{CardMemory, Order, Profile, Simulator};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::command::{
    Cryptogram, GenerateAc, GetData, GetProcessingOptions, ProcessingOptions,
};
use cardwright::words::emv::cryptogram::{CardKeys, CryptogramVersion};
use cardwright::words::emv::{CryptogramType, Fci, Pan, Track2, assemble};
use cardwright::words::iso7816::command::{
    ExternalAuthenticate, PinBlock, PresentedPin, ReadRecord, Select, Verify,
};
use cardwright::words::iso7816::{Aid, ApduCommand, CommandApdu, ResponseApdu};
use cardwright::words::pboc::{EcashSet, Iad};
use cardwright::words::tlv::{Dol, Tag, TlvStore, find};
use cardwright::world::new_card_memory;

pub(crate) const ECASH: &str = "A000000333010106";
pub(crate) const DEBIT: &str = "A000000333010101";
pub(crate) const PIN: &str = "123456";

/// A card, the keys its issuer would derive, and the terminal's data.
pub(crate) struct Table {
    pub card: Simulator,
    pub keys: CardKeys,
    pub version: &'static CryptogramVersion,
    pub terminal: TlvStore,
    pub context: Context,
    pub events: Collector,
}

pub(crate) fn pan() -> Pan {
    Pan::with_check_digit("629999000000001").unwrap()
}

/// A card of this profile text.
pub(crate) fn memory(profile: &Profile, balances: &[(Tag, u64)]) -> CardMemory {
    let order = Order {
        pan: pan(),
        psn: 1,
        expiry: [0x30, 0x12, 0x31],
        effective: [0x26, 0x01, 0x01],
        cardholder_name: Secret::new("TEST/CARD".into()),
        pin: Some(Secret::new(PIN.into())),
        initial_balances: balances.to_vec(),
        purse_minor: 0,
    };
    new_card_memory(profile, &order).unwrap()
}

impl Table {
    /// A fresh card of a built-in profile, switched on.
    pub(crate) fn new(profile: &str, interface: Interface, balances: &[(Tag, u64)]) -> Self {
        Self::with(&Profile::named(profile).unwrap(), interface, balances)
    }

    /// A fresh card of this profile, switched on.
    pub(crate) fn with(profile: &Profile, interface: Interface, balances: &[(Tag, u64)]) -> Self {
        let version = profile.version().unwrap();
        let events = Collector::default();
        let mut table = Self {
            card: Simulator::in_memory(memory(profile, balances)),
            keys: KeySet::test().card_keys(version, &pan(), 1).unwrap(),
            version,
            terminal: TlvStore::new(),
            context: Context::simulated(1, events.clone()),
            events,
        };
        for (tag, value) in [
            (tag::TTQ, "26000000"),
            (tag::AMOUNT_OTHER, "000000000000"),
            (tag::TERMINAL_COUNTRY_CODE, "0156"),
            (tag::TVR, "0000000000"),
            (tag::TRANSACTION_CURRENCY_CODE, "0156"),
            (tag::TRANSACTION_DATE, "261121"),
            (tag::TRANSACTION_TIME, "080000"),
            (tag::TRANSACTION_TYPE, "00"),
            (tag::UNPREDICTABLE_NUMBER, "11223344"),
            (tag::EC_TERMINAL_SUPPORT_INDICATOR, "00"),
            (tag::AUTHORISATION_RESPONSE_CODE, "3030"),
        ] {
            table.set(tag, value);
        }
        table.amount(100);
        table.card.power_on(interface, &mut table.context);
        table
    }

    pub(crate) fn set(&mut self, tag: Tag, hex: &str) {
        self.terminal.put(tag, parse_hex(hex).unwrap());
    }

    pub(crate) fn amount(&mut self, minor: u64) {
        self.terminal.put(tag::AMOUNT_AUTHORISED, u64_to_bcd(minor, 6).unwrap());
    }

    /// Switches off and on.
    pub(crate) fn power(&mut self, interface: Interface) {
        self.card.power_off();
        self.card.power_on(interface, &mut self.context);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> ResponseApdu {
        ResponseApdu::parse(&self.card.process(bytes, &mut self.context).unwrap()).unwrap()
    }

    pub(crate) fn hex(&mut self, hex: &str) -> ResponseApdu {
        self.bytes(&parse_hex(hex).unwrap())
    }

    pub(crate) fn apdu(&mut self, apdu: &CommandApdu) -> ResponseApdu {
        self.bytes(&apdu.to_bytes())
    }

    /// The status word of an answer.
    pub(crate) fn status(&mut self, apdu: &CommandApdu) -> u16 {
        self.apdu(apdu).status.0
    }

    pub(crate) fn ask<C: ApduCommand>(&mut self, command: &C) -> C::Response {
        let response = self.apdu(&command.to_apdu());
        command.answer(&response).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn select(&mut self, aid: &str) -> Fci {
        let aid = Aid::new(parse_hex(aid).unwrap()).unwrap();
        let fci = self.ask(&Select::first(aid.clone()));
        Fci::parse(&fci, &aid).unwrap()
    }

    pub(crate) fn data(&mut self, tag: Tag) -> Vec<u8> {
        self.ask(&GetData { tag }).1
    }

    /// A balance as GET DATA gives it.
    pub(crate) fn balance(&mut self, tag: Tag) -> u64 {
        cardwright::base::bytes::bcd_to_u64(&self.data(tag)).unwrap()
    }

    /// GET PROCESSING OPTIONS of a selected application.
    pub(crate) fn start(&mut self, aid: &str) -> ProcessingOptions {
        let apdu = self.start_apdu(aid);
        let command = GetProcessingOptions::from_apdu(&apdu).unwrap();
        command.answer(&self.apdu(&apdu)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The command, after selecting.
    pub(crate) fn start_apdu(&mut self, aid: &str) -> CommandApdu {
        let pdol = self.select(aid).pdol.unwrap_or_default();
        GetProcessingOptions { pdol_data: assemble(&pdol, &self.terminal) }.to_apdu()
    }

    pub(crate) fn record(&mut self, sfi: u8, record: u8) -> Vec<u8> {
        self.ask(&ReadRecord { sfi, record })
    }

    /// An element of the records of SFI 1.
    pub(crate) fn element(&mut self, wanted: Tag) -> Vec<u8> {
        (1..=3)
            .find_map(|number| {
                let record = self.record(1, number);
                find(&record, wanted).unwrap().map(|found| found.value.to_vec())
            })
            .unwrap()
    }

    pub(crate) fn generate_apdu(&mut self, kind: CryptogramType, list: Tag) -> CommandApdu {
        let cdol = Dol::parse(&self.element(list)).unwrap();
        let cdol_data = assemble(&cdol, &self.terminal);
        GenerateAc { cryptogram: kind, cda: false, cdol_data }.to_apdu()
    }

    /// GENERATE AC over CDOL1 or CDOL2.
    pub(crate) fn generate(&mut self, kind: CryptogramType, list: Tag) -> Cryptogram {
        let apdu = self.generate_apdu(kind, list);
        let command = GenerateAc::from_apdu(&apdu).unwrap();
        command.answer(&self.apdu(&apdu)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Checks a cryptogram as an issuer does, and gives the issuer application data.
    pub(crate) fn check(&mut self, aip: [u8; 2], given: &TlvStore) -> Iad {
        let iad = given.value(tag::ISSUER_APPLICATION_DATA).unwrap().to_vec();
        let input = self
            .version
            .assemble(&|wanted| match wanted {
                tag::AIP => Some(aip.to_vec()),
                tag::ATC | tag::ISSUER_APPLICATION_DATA => given.value(wanted).map(<[u8]>::to_vec),
                other => self.terminal.value(other).map(<[u8]>::to_vec),
            })
            .unwrap();
        let atc = given.array(tag::ATC).unwrap();
        let expected = self.version.application_cryptogram(self.keys.ac.expose(), atc, &input);
        assert_eq!(given.array(tag::APPLICATION_CRYPTOGRAM), Some(expected), "the cryptogram verifies");
        let parsed = Iad::parse(&iad).unwrap();
        if let Some((value, mac)) = parsed.idd {
            let expected = cardwright::words::pboc::idd_mac::idd_mac(
                self.version,
                self.keys.mac.expose(),
                atc,
                &value.to_bytes(),
                Default::default(),
            );
            assert_eq!(mac, expected, "the MAC of the discretionary data verifies");
        }
        parsed
    }

    /// Up to the ARQC of a load or online payment: ATC and ARQC.
    pub(crate) fn go_online(&mut self, aid: &str) -> ([u8; 2], [u8; 8]) {
        let aip = self.start(aid).aip().unwrap();
        let given = self.generate(CryptogramType::Arqc, tag::CDOL1);
        assert_eq!(given.cid().unwrap().cryptogram_type(), Some(CryptogramType::Arqc));
        self.check(aip.0, &given.data);
        (given.atc().unwrap(), given.application_cryptogram().unwrap())
    }

    /// Tag 91 by which the issuer approves.
    pub(crate) fn arpc(&self, atc: [u8; 2], arqc: [u8; 8]) -> ExternalAuthenticate {
        use cardwright::words::emv::cryptogram::ArpcMethod;
        let key = self.keys.ac.expose();
        let data = match self.version.arpc_method {
            ArpcMethod::Method1 => [&self.version.arpc_method_1(key, atc, arqc, *b"00")[..], b"00"].concat(),
            ArpcMethod::Method2 => {
                let update = [0, 0x80, 0, 0];
                [&self.version.arpc_method_2(key, atc, arqc, update, &[]).unwrap()[..], &update].concat()
            }
        };
        ExternalAuthenticate { issuer_authentication_data: data }
    }

    /// A script command with its MAC: header without Lc, and data.
    pub(crate) fn script(&self, atc: [u8; 2], arqc: [u8; 8], head: [u8; 4], data: &[u8]) -> CommandApdu {
        let [cla, ins, p1, p2] = head;
        let header = [cla, ins, p1, p2, data.len() as u8 + 4];
        let mac = self.version.script_mac(self.keys.mac.expose(), atc, arqc, header, data, 4).unwrap();
        CommandApdu::new(cla, ins, p1, p2).data([data, &mac].concat())
    }

    /// PUT DATA of an amount.
    pub(crate) fn put(&self, atc: [u8; 2], arqc: [u8; 8], tag: Tag, minor: u64) -> CommandApdu {
        let [.., p1, p2] = tag.0.to_be_bytes();
        self.script(atc, arqc, [0x04, 0xDA, p1, p2], &u64_to_bcd(minor, 6).unwrap())
    }

    /// A whole online transaction, approved, up to the second GENERATE AC.
    pub(crate) fn approve(&mut self, aid: &str) -> ([u8; 2], [u8; 8]) {
        let (atc, arqc) = self.go_online(aid);
        self.ask(&self.arpc(atc, arqc));
        let second = self.generate(CryptogramType::Tc, tag::CDOL2);
        assert_eq!(second.cid().unwrap().cryptogram_type(), Some(CryptogramType::Tc));
        (atc, arqc)
    }

    pub(crate) fn verify(&mut self, pin: &str) -> u16 {
        self.status(&Verify { pin: PinBlock::from_digits(pin).map(PresentedPin::Plain) }.to_apdu())
    }

    /// What is in the card's non-volatile memory.
    pub(crate) fn kept(&self, set: EcashSet) -> u64 {
        self.card.memory().balance(set).unwrap()
    }
}

#[test]
fn records_can_be_probed_without_spending_a_counter_value() {
    let mut table = Table::new("ecash", Interface::Contactless, &[]);
    table.select(ECASH);
    assert_eq!(Pan::from_bcd(&table.element(tag::PAN)).unwrap(), pan());
    assert_eq!(Track2::parse(&table.element(tag::TRACK_2_EQUIVALENT_DATA)).unwrap().pan, pan());
    assert_eq!(table.element(tag::APPLICATION_EXPIRATION_DATE), [0x30, 0x12, 0x31]);
    assert_eq!(table.element(tag::PAN_SEQUENCE_NUMBER), [0x01]);
    let record = table.record(1, 4);
    assert_eq!(find(&record, tag::EC_ISSUER_AUTHORISATION_CODE).unwrap().unwrap().value, b"EECC01");
    assert_eq!(table.status(&ReadRecord { sfi: 3, record: 1 }.to_apdu()), 0x6A82);
    assert_eq!(table.status(&ReadRecord { sfi: 1, record: 9 }.to_apdu()), 0x6A83);
    assert_eq!(table.data(tag::ATC), [0, 0]);
    assert_eq!(table.card.memory().atc(), 0);
}

#[test]
fn directories_name_the_applications_of_their_interface() {
    let pse: String = b"1PAY.SYS.DDF01".iter().map(|b| format!("{b:02X}")).collect();
    let ppse: String = b"2PAY.SYS.DDF01".iter().map(|b| format!("{b:02X}")).collect();
    let mut table = Table::new("ecash", Interface::Contactless, &[]);
    let entries = table.select(&ppse).entries;
    assert_eq!(entries[0].name.to_string(), ECASH);
    assert_eq!(table.hex(&format!("00A404000E{pse}00")).status.0, 0x6A82);
    table.power(Interface::Contact);
    assert_eq!(table.select(&pse).directory_sfi, Some(1));
    let record = table.record(1, 1);
    assert_eq!(find(&record, tag::AID).unwrap().unwrap().value, parse_hex(ECASH).unwrap());
    assert_eq!(table.hex(&format!("00A404000E{ppse}00")).status.0, 0x6A82);
    assert_eq!(table.hex("80CA9F7900").status.0, 0x6985, "a directory has no data objects");
}

#[test]
fn partial_names_and_next_walk_the_applications() {
    let mut text = cardwright::roles::card::PROFILES[0].text.to_owned();
    let second = text[text.find("[[application]]").unwrap()..].replacen("010106", "010106AA", 1);
    text.push_str(&second);
    let profile = Profile::parse(&text).unwrap();
    let mut table = Table::with(&profile, Interface::Contact, &[]);
    assert_eq!(table.select("A000000333").df_name.to_string(), ECASH);
    let next = Select::next(Aid::new(parse_hex("A000000333").unwrap()).unwrap());
    let fci = table.ask(&next);
    assert_eq!(Fci::parse(&fci, &next.name).unwrap().df_name.to_string(), format!("{ECASH}AA"));
    assert_eq!(table.status(&next.to_apdu()), 0x6A82, "there is no third");
    assert_eq!(table.data(tag::ATC), [0, 0], "the second stays selected");
    assert_eq!(table.hex("00A4040005A00000000300").status.0, 0x6A82);
}
