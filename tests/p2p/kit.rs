//! A host and phones of its customers.

use crate::store::fresh_store;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::{Db, Row, SealKey, Sqlite, StoreError, transact};
use cardwright::roles::bureau::KeySet;
use cardwright::roles::issuer::{Issuer, KeyTable, PhoneTransfer, Rules};
use cardwright::roles::p2p::transfer::{Phone, Settled, Task, Transfer, TransferRules, Way, settle};
use cardwright::words::emv::Pan;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::transfer::TransferId;
use cardwright::world::transfer::{Met, OFFLINE_LIMIT_MINOR, Side, enrol_phone, meet};
use std::time::Duration;

pub(crate) const CNY: Currency = Currency::CNY;
/// Their accounts; each opens with 100.00.
pub(crate) const NAMES: [&str; 3] = ["Alice", "Bob", "Carol"];
pub(crate) const OPENING: u64 = 10_000;

pub(crate) struct Town {
    pub(crate) issuer: Issuer,
    pub(crate) phones: Vec<Phone>,
    stores: Vec<(Box<dyn Db>, SealKey)>,
    pub(crate) context: Context,
}

/// A touch that is to be: who pays whom how much, and whether the host is asked by either.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) payer: usize,
    pub(crate) payee: usize,
    pub(crate) minor: u64,
    pub(crate) asks: [bool; 2],
}

/// Alice pays Bob 20.00, and nobody asks the host.
pub(crate) const OFFLINE: Plan = Plan { payer: 0, payee: 1, minor: 2_000, asks: [false, false] };

impl Town {
    pub(crate) fn new() -> Self {
        Self::in_store(fresh_store())
    }

    /// The same with the host's books in a store.
    pub(crate) fn in_store(books: Box<dyn Db>) -> Self {
        let mut context = Context::simulated(7, Discard);
        let keys = KeySet::test();
        let table = KeyTable::of(Pan::TEST_BIN, keys.dki(), keys.master().clone());
        let seal = SealKey::random(&mut context);
        let mut issuer = Issuer::open(books, seal, table, Rules::default()).unwrap();
        let (mut phones, mut stores) = (Vec::new(), Vec::new());
        for name in NAMES {
            let opening = Amount::new(OPENING, CNY);
            let account = issuer.open_account(Some(name), opening, name, &mut context).unwrap();
            let (db, seal) = (Sqlite::in_memory().unwrap(), SealKey::random(&mut context));
            let mut phone = Phone::open(db.handle().unwrap(), seal.clone(), &mut context).unwrap();
            enrol_phone(&mut phone, &mut issuer, &account, name, OFFLINE_LIMIT_MINOR, &mut context).unwrap();
            phones.push(phone);
            stores.push((Box::new(db) as Box<dyn Db>, seal));
        }
        Self { issuer, phones, stores, context }
    }

    /// The phone as another process finds it.
    pub(crate) fn restart(&mut self, phone: usize) {
        let (db, seal) = &self.stores[phone];
        self.phones[phone] = Phone::open(db.handle().unwrap(), seal.clone(), &mut self.context)
            .unwrap()
            .with_rules(TransferRules::ALL);
    }

    pub(crate) fn touch(&mut self, plan: Plan) -> [Met; 2] {
        self.touch_over(plan, &mut |_, unit| Some(unit))
    }

    /// The payer is the initiator.
    pub(crate) fn touch_over(
        &mut self,
        plan: Plan,
        carry: &mut dyn FnMut(usize, Vec<u8>) -> Option<Vec<u8>>,
    ) -> [Met; 2] {
        let amount = Some(Amount::new(plan.minor, CNY));
        let task = |way, asks_host| Task { way, amount, asks_host };
        self.touch_as(
            [plan.payer, plan.payee],
            [task(Way::Pays, plan.asks[0]), task(Way::Receives, plan.asks[1])],
            true,
            carry,
        )
    }

    /// The phones part so many units after the payer has said yes.
    pub(crate) fn touch_torn(&mut self, plan: Plan, mut units: usize) -> [Met; 2] {
        let mut store = self.stores[plan.payer].0.handle().unwrap();
        let mut agreed = move || {
            let rows: Result<Vec<Row>, StoreError> = transact(store.as_mut(), |tx| {
                tx.query("SELECT COUNT(*) FROM transfer WHERE state = 'agreed' AND way = 'pays'", &[])
            });
            rows.unwrap()[0].int(0).unwrap()
        };
        let before = agreed();
        self.touch_over(plan, &mut move |_, unit| {
            if agreed() > before {
                units = units.checked_sub(1)?;
            }
            Some(unit)
        })
    }

    pub(crate) fn touch_as(
        &mut self,
        who: [usize; 2],
        tasks: [Task; 2],
        yes: bool,
        carry: &mut dyn FnMut(usize, Vec<u8>) -> Option<Vec<u8>>,
    ) -> [Met; 2] {
        let [one, other] = self.phones.get_disjoint_mut(who).unwrap();
        let (mut host, mut same) = (self.issuer.handle().unwrap(), self.issuer.handle().unwrap());
        let (mut says, mut too) = (|_: &_, _: &mut _| yes, |_: &_, _: &mut _| yes);
        let first = Side { phone: one, task: tasks[0], host: &mut host, holder: &mut says };
        let second = Side { phone: other, task: tasks[1], host: &mut same, holder: &mut too };
        meet(first, second, carry, &mut self.context).unwrap()
    }

    pub(crate) fn settle(&mut self, phone: usize) -> Vec<Settled> {
        settle(&mut self.phones[phone], &mut self.issuer, &mut self.context).unwrap()
    }

    /// Time passes, and everyone settles twice.
    pub(crate) fn settle_all(&mut self) {
        self.context.elapse(Duration::from_secs(3_600));
        for phone in [0, 1, 2, 0, 1, 2] {
            self.settle(phone);
        }
    }

    pub(crate) fn minor(&mut self, name: &str) -> u64 {
        let accounts = self.issuer.accounts(&mut self.context).unwrap();
        accounts.iter().find(|account| account.id.0 == name).unwrap().balance.minor
    }

    pub(crate) fn transfer(&mut self, phone: usize, id: TransferId) -> Transfer {
        self.phones[phone].transfer(id).unwrap().unwrap()
    }

    pub(crate) fn booked(&mut self) -> Vec<PhoneTransfer> {
        let all = self.issuer.phone_transfers(&mut self.context).unwrap();
        all.into_iter().filter(|transfer| transfer.is_booked).collect()
    }

    /// Everyone knows how everything ended, and the books hold.
    pub(crate) fn assert_over(&mut self) {
        let booked: Vec<String> = self.booked().into_iter().map(|transfer| transfer.id).collect();
        for phone in &mut self.phones {
            for transfer in phone.transfers().unwrap() {
                assert!(transfer.state.is_final(), "{transfer:?}");
                let is_booked = transfer.state == cardwright::roles::p2p::transfer::TransferState::Booked;
                assert_eq!(is_booked, booked.contains(&transfer.id.to_string()), "{transfer:?}");
            }
        }
        assert_eq!(self.issuer.check(&mut self.context).unwrap(), []);
        let sum: u64 = NAMES.map(|name| self.minor(name)).iter().sum();
        assert_eq!(sum, OPENING * NAMES.len() as u64);
    }
}

impl Town {
    /// A phone that another host has opened.
    pub(crate) fn of_another_host(other: &mut Self) -> Phone {
        let table = KeyTable::default();
        let seal = SealKey::random(&mut other.context);
        let mut issuer = Issuer::open(fresh_store(), seal.clone(), table, Rules::default()).unwrap();
        let context = &mut other.context;
        let account = issuer.open_account(Some("D"), Amount::new(1, CNY), "Dan", context).unwrap();
        let mut phone = Phone::open(Box::new(Sqlite::in_memory().unwrap()), seal, context).unwrap();
        enrol_phone(&mut phone, &mut issuer, &account, "Dan", OFFLINE_LIMIT_MINOR, context).unwrap();
        phone
    }
}
