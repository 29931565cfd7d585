//! A card and a terminal's messages, made of the words alone.

use crate::store::fresh_store;
use cardwright::air::host::{Answer, Entry, Host, Kind, MessageClass, MessageKey, Original, Request};
use cardwright::base::context::Context;
use cardwright::base::event::Collector;
use cardwright::base::store::{Db, SealKey, Value, transact};
use cardwright::roles::issuer::{
    AccountId, CardAccount, CardOrder, CurrencyBooks, EcashTerms, Issuer, KeyTable, Rules,
};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::cryptogram::{ArpcMethod, CardKeys, CryptogramVersion, MasterKeys};
use cardwright::words::emv::{IssuerScript, Pan};
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::iso7816::ApduCommand;
use cardwright::words::pboc::command::PutData;
use cardwright::words::pboc::{Cvr, EcashSet, Iad, IddValue, idd_mac};
use cardwright::words::tlv::TlvStore;

pub(crate) const CNY: Currency = Currency::CNY;
pub(crate) const HKD: Currency = Currency::HKD;
/// What the renminbi account opens with.
pub(crate) const ACCOUNT_MINOR: i64 = 50_000;
/// The card's own balance limit (9F77).
pub(crate) const LIMIT_MINOR: u64 = 100_000;
const PIN: &str = "123456";
const DKI: u8 = 1;

/// A card that knows how to sign.
#[derive(Clone)]
pub(crate) struct Card {
    pub(crate) pan: Pan,
    pub(crate) version: &'static CryptogramVersion,
    keys: CardKeys,
    dki: u8,
    pub(crate) atc: u16,
    pub(crate) balance_minor: u64,
    pub(crate) currency: Currency,
    arqc: [u8; 8],
}

impl Card {
    fn new(pan: Pan, version: &'static CryptogramVersion, master: &MasterKeys) -> Self {
        let keys = CardKeys::diversify(version, master, pan.expose(), 0).unwrap();
        Self::with_keys(pan, version, keys, DKI)
    }

    /// A card of these keys.
    pub(crate) fn with_keys(pan: Pan, version: &'static CryptogramVersion, keys: CardKeys, dki: u8) -> Self {
        Self { pan, version, keys, dki, atc: 0, balance_minor: 0, currency: CNY, arqc: [0; 8] }
    }

    /// Chip data of a transaction; the counter steps.
    pub(crate) fn sign(&mut self, amount_minor: u64, cvr: u8, transaction_type: u8) -> TlvStore {
        self.atc += 1;
        let atc = self.atc.to_be_bytes();
        let value = IddValue::Balance { balance_minor: self.balance_minor };
        let mac = idd_mac::idd_mac(
            self.version,
            self.keys.mac.expose(),
            atc,
            &value.to_bytes(),
            idd_mac::IddMacPadding::default(),
        );
        let iad = Iad {
            dki: self.dki,
            cvn: self.version.cvn,
            cvr: Cvr([cvr, 0, 0]),
            algorithm: Some(self.version.algorithm.id()),
            idd: Some((value, mac)),
        };
        let mut chip = TlvStore::new();
        chip.put(tag::AMOUNT_AUTHORISED, Amount::new(amount_minor, self.currency).to_bcd());
        chip.put(tag::AMOUNT_OTHER, [0; 6]);
        chip.put(tag::TERMINAL_COUNTRY_CODE, [0x01, 0x56]);
        chip.put(tag::TVR, [0; 5]);
        chip.put(tag::TRANSACTION_CURRENCY_CODE, self.currency.to_bcd());
        chip.put(tag::TRANSACTION_DATE, [0x26, 0x11, 0x21]);
        chip.put(tag::TRANSACTION_TYPE, [transaction_type]);
        chip.put(tag::UNPREDICTABLE_NUMBER, [1, 2, 3, 4]);
        chip.put(tag::AIP, [0x7C, 0x00]);
        chip.put(tag::ATC, atc);
        chip.put(tag::ISSUER_APPLICATION_DATA, iad.to_bytes());
        self.sign_again(chip)
    }

    /// Signs chip data that were changed, under the same counter.
    pub(crate) fn sign_again(&mut self, mut chip: TlvStore) -> TlvStore {
        let data = self.version.assemble(&|tag| chip.value(tag).map(<[u8]>::to_vec)).unwrap();
        let atc = self.atc.to_be_bytes();
        self.arqc = self.version.application_cryptogram(self.keys.ac.expose(), atc, &data);
        chip.put(tag::APPLICATION_CRYPTOGRAM, self.arqc);
        chip
    }

    /// Pays offline: balance and counter move, the TC comes out.
    pub(crate) fn pay(&mut self, amount_minor: u64) -> TlvStore {
        let chip = self.sign(amount_minor, 0x90, 0x00);
        self.balance_minor -= amount_minor;
        chip
    }

    /// Checks ARPC and script MAC as a card does, and writes the new total.
    pub(crate) fn take_script(&mut self, answer: &Answer) {
        let atc = self.atc.to_be_bytes();
        self.check_arpc(answer);
        let scripts = IssuerScript::parse_all(&answer.chip).unwrap();
        assert_eq!(scripts.len(), 1);
        assert!(!scripts[0].before_second_ac);
        let put = PutData::from_apdu(&scripts[0].commands[0]).unwrap();
        let set = if self.currency == CNY { EcashSet::FIRST } else { EcashSet::SECOND };
        assert_eq!(put.tag, set.balance);
        let mac = self
            .version
            .script_mac(self.keys.mac.expose(), atc, self.arqc, put.header(), &put.value, 4)
            .unwrap();
        assert_eq!(put.mac.as_slice(), mac);
        self.balance_minor = Amount::from_bcd(&put.value, self.currency).unwrap().minor;
    }

    /// Checks tag 91.
    pub(crate) fn check_arpc(&self, answer: &Answer) {
        let atc = self.atc.to_be_bytes();
        let key = self.keys.ac.expose();
        let expected = match self.version.arpc_method {
            ArpcMethod::Method1 => {
                let arpc = self.version.arpc_method_1(key, atc, self.arqc, answer.code.0);
                [&arpc[..], &answer.code.0].concat()
            }
            ArpcMethod::Method2 => {
                // "Issuer approves online transaction" is bit 8 of byte 2.
                let update = [0, if answer.code.is_approved() { 0x80 } else { 0 }, 0, 0];
                let arpc = self.version.arpc_method_2(key, atc, self.arqc, update, &[]).unwrap();
                [arpc, update].concat()
            }
        };
        assert_eq!(answer.chip.value(tag::ISSUER_AUTHENTICATION_DATA), Some(expected.as_slice()));
    }
}

/// An issuer with an account of 500.00 in each of two currencies, and a card.
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) context: Context,
    pub(crate) events: Collector,
    pub(crate) card: Card,
    pub(crate) order: CardOrder,
    pub(crate) pin: Option<&'static str>,
    pub(crate) db: Box<dyn Db>,
    trace: u32,
    terminal: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with("PBOC CVN 01")
    }

    /// A world whose cards are of another cryptogram version.
    pub(crate) fn with(version: &str) -> Self {
        Self::made(version, Rules::default())
    }

    /// A world with other rules.
    pub(crate) fn ruled(rules: Rules) -> Self {
        Self::made("PBOC CVN 01", rules)
    }

    fn made(version: &str, rules: Rules) -> Self {
        Self::on(fresh_store(), version, rules)
    }

    /// A world whose issuer keeps its books in this store, which is empty.
    pub(crate) fn on(db: Box<dyn Db>, version: &str, rules: Rules) -> Self {
        let events = Collector::default();
        let mut context = Context::simulated(7, events.clone());
        let master = master();
        let other = db.handle().unwrap();
        let seal = SealKey::random(&mut context);
        let table = KeyTable::of(Pan::TEST_BIN, DKI, master.clone());
        let mut issuer = Issuer::open(db, seal, table, rules).unwrap();
        let mut open = |id, currency| {
            let balance = Amount::new(ACCOUNT_MINOR as u64, currency);
            issuer.open_account(Some(id), balance, "Zhang San", &mut context).unwrap()
        };
        let (first, second) = (open("A1", CNY), open("A2", HKD));
        let linked = |currency, account, set| CardAccount {
            currency,
            account: Some(account),
            ecash: Some(EcashTerms { set, balance_limit_minor: LIMIT_MINOR, balance_minor: 0 }),
        };
        let order = CardOrder {
            pan: Pan::with_check_digit("629999000000000").unwrap(),
            psn: 0,
            version: version.into(),
            dki: DKI,
            expiry: [0x30, 0x12, 0x31],
            pin: Some(PIN.to_owned().into()),
            accounts: vec![linked(CNY, first, EcashSet::FIRST), linked(HKD, second, EcashSet::SECOND)],
        };
        issuer.order_card(&order, &mut context).unwrap();
        let card = Card::new(order.pan.clone(), CryptogramVersion::by_name(version).unwrap(), &master);
        let terminal = "T0000001".into();
        Self { issuer, context, events, card, order, pin: Some(PIN), db: other, trace: 0, terminal }
    }

    /// Another terminal of the same issuer, number `number` from 2 on, with a card of its
    /// own on the first account.
    pub(crate) fn beside(&mut self, number: u32) -> Self {
        self.beside_on(number, "A1")
    }

    /// The same, with a card on this renminbi account.
    pub(crate) fn beside_on(&mut self, number: u32, account: &str) -> Self {
        let events = Collector::default();
        let context = Context::simulated(u64::from(number) + 100, events.clone());
        let mut order = self.order.clone();
        order.pan = Pan::with_check_digit(&format!("62999900000{number:04}")).unwrap();
        order.accounts[0].account = Some(AccountId(account.into()));
        self.issuer.order_card(&order, &mut self.context).unwrap();
        let card = Card::new(order.pan.clone(), self.card.version, &master());
        let (issuer, db) = (self.issuer.handle().unwrap(), self.db.handle().unwrap());
        let terminal = format!("T{number:07}");
        Self { issuer, context, events, card, order, pin: Some(PIN), db, trace: 0, terminal }
    }

    /// A request of the card, with the next trace.
    pub(crate) fn request(&mut self, kind: Kind, amount_minor: u64, chip: TlvStore) -> Request {
        self.trace += 1;
        let class = match kind {
            Kind::OfflineSale | Kind::ScriptResult | Kind::EcashRefund => MessageClass::Notice,
            _ => MessageClass::Request,
        };
        Request {
            key: MessageKey {
                class,
                merchant: "M00000000000001".into(),
                terminal: self.terminal.clone(),
                batch: 1,
                trace: self.trace,
            },
            kind,
            amount: Amount::new(amount_minor, self.card.currency),
            pan: self.card.pan.expose().to_owned().into(),
            psn: 0,
            entry: Entry::Contact,
            at: self.context.now(),
            chip,
            pin: if matches!(kind, Kind::LinkedLoad | Kind::UnloadScript) {
                self.pin.map(|pin| pin.to_owned().into())
            } else {
                None
            },
            original: None,
            payer: None,
        }
    }

    pub(crate) fn load_request(&mut self, amount_minor: u64) -> Request {
        let chip = self.card.sign(amount_minor, 0xA0, 0x60);
        self.request(Kind::LinkedLoad, amount_minor, chip)
    }

    pub(crate) fn load(&mut self, amount_minor: u64) -> (Request, Answer) {
        let request = self.load_request(amount_minor);
        let answer = self.issuer.authorise(&request, &mut self.context).unwrap();
        (request, answer)
    }

    pub(crate) fn reverse(&mut self, request: &Request) -> Answer {
        let mut reversal = request.clone();
        reversal.key.class = MessageClass::Reversal;
        reversal.chip = TlvStore::new();
        reversal.pin = None;
        self.issuer.reverse(&reversal, &mut self.context).unwrap()
    }

    pub(crate) fn notice_request(&mut self, original: &Request, result: u8) -> Request {
        let mut chip = TlvStore::new();
        chip.put(tag::ISSUER_SCRIPT_RESULTS, [result, 0, 0, 0, 1]);
        let mut notice = self.request(Kind::ScriptResult, original.amount.minor, chip);
        notice.original = Some(Original { batch: original.key.batch, trace: original.key.trace });
        notice
    }

    pub(crate) fn notice(&mut self, original: &Request, result: u8) -> Answer {
        let notice = self.notice_request(original, result);
        self.issuer.advise(&notice, &mut self.context).unwrap()
    }

    pub(crate) fn upload(&mut self, amount_minor: u64, chip: TlvStore) -> Answer {
        let request = self.request(Kind::OfflineSale, amount_minor, chip);
        self.issuer.advise(&request, &mut self.context).unwrap()
    }

    /// Claims a sale of the card's last counter, without its certificate.
    pub(crate) fn claim_request(&mut self, amount_minor: u64, mut chip: TlvStore) -> Request {
        chip.remove(tag::APPLICATION_CRYPTOGRAM);
        self.request(Kind::SaleClaim, amount_minor, chip)
    }

    pub(crate) fn books(&mut self) -> CurrencyBooks {
        self.issuer.books(&mut self.context).unwrap().of(self.card.currency)
    }

    /// No invariant is broken and no money came or went.
    pub(crate) fn assert_sound(&mut self) {
        assert_eq!(self.issuer.check(&mut self.context).unwrap(), []);
        assert_eq!(self.books().total_minor(), ACCOUNT_MINOR);
    }

    pub(crate) fn alarms(&self) -> usize {
        self.events.events().iter().filter(|event| event.name == "Alarm").count()
    }

    /// Changes the store behind the issuer's back.
    pub(crate) fn execute(&mut self, sql: &str) {
        let changed = transact(self.db.as_mut(), |tx| tx.execute(sql, &[])).unwrap();
        assert!(changed > 0, "{sql} changed nothing");
    }

    /// Every byte of a table.
    pub(crate) fn dump(&mut self, table: &str) -> Vec<u8> {
        let sql = format!("SELECT * FROM {table}");
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[])).unwrap();
        let bytes = |value: Value| match value {
            Value::Null => Vec::new(),
            Value::Int(number) => number.to_string().into_bytes(),
            Value::Text(text) => text.into_bytes(),
            Value::Bytes(bytes) => bytes,
        };
        rows.into_iter().flat_map(|row| row.0).flat_map(bytes).collect()
    }
}

fn master() -> MasterKeys {
    MasterKeys { ac: [0x11; 16].into(), mac: [0x22; 16].into(), enc: [0x33; 16].into() }
}
