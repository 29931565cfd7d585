//! E-cash accounts in the phone: the money is all there through open, load, pay and
//! close, wherever it breaks, and a closed account leaves nothing behind.

use super::kit::{ACCOUNT_MINOR, CNY, Kit};
use cardwright::air::link::{FaultPlan, FaultPoint, Interface};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::devices::wallet::Wallet;
use cardwright::roles::terminal::{ApplicationName, Cardholder, Flow, Message, PinPrompt, Verdict};
use cardwright::words::iso4217::Amount;
use cardwright::world::tear::{CrashPlan, TearFault, TearSize};
use cardwright::world::wallet::{Closed, NewEcash, begin_closing, close_ecash, open_ecash};
use cardwright::world::{DEFAULT_PIN, WorldError};

const LOAD: Amount = Amount::new(5_000, CNY);
const PAYMENT: Amount = Amount::new(1_250, CNY);

impl Kit {
    /// Loads or pays with the default card.
    fn transact(&mut self, flow: Flow, amount: Amount, over: Interface) -> Result<Verdict, WorldError> {
        let simulator = self.wallet().simulator(None).unwrap();
        let mut stage = self.stage(simulator, over);
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let result = stage.transact(flow, amount, &mut pin, &mut self.context);
        self.leave(stage);
        result.map(|(_, outcome)| outcome.verdict)
    }

    /// Closes an account in a process that may be stopped.
    fn close(&mut self, name: &str) -> Result<Closed, WorldError> {
        self.close_and_measure(name, 1).0
    }

    fn close_and_measure(&mut self, name: &str, every: usize) -> (Result<Closed, WorldError>, TearSize) {
        let begun = self.crashing().and_then(|mut wallet| {
            begin_closing(&mut wallet, Some(&mut self.issuer), Some(name), &mut self.context)?;
            let simulator = wallet.simulator(Some(name))?;
            Ok((wallet, simulator))
        });
        let (mut wallet, simulator) = match begun {
            Ok(begun) => begun,
            Err(error) => return (Err(error), self.size(every)),
        };
        let mut stage = self.stage(simulator, Interface::Contact);
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let result = close_ecash(&mut wallet, name, &mut stage, &mut pin, &mut self.context);
        let size = self.size(every);
        self.leave(stage);
        (result, size)
    }

    /// An account named `bus` that is loaded.
    fn loaded(by_wire: bool) -> Self {
        let mut kit = Self::new();
        kit.by_wire = by_wire;
        let (mut wallet, new) = (kit.wallet(), NewEcash { name: Some("bus".into()), ..kit.new_ecash() });
        open_ecash(&mut wallet, &mut kit.issuer, &new, &mut kit.context).unwrap();
        drop(wallet);
        assert_eq!(kit.transact(Flow::Load, LOAD, Interface::Contact).unwrap(), Verdict::Loaded);
        kit
    }

    /// How much there is of a closing that nothing disturbs.
    fn measure(&mut self, every: usize) -> TearSize {
        self.arm(None);
        let (closed, size) = self.close_and_measure("bus", every);
        assert_eq!(closed.unwrap().waits_for, None);
        size
    }

    /// Closes it again and again, as a person does who is told to.
    fn close_for_good(&mut self, name: &str) {
        self.crash.arm(None);
        for _ in 0..3 {
            // The last try may have ended it, and only not lived to say so.
            let there = self.wallet().cards().unwrap().iter().any(|card| card.name == name);
            if !there {
                return;
            }
            let closed = self.close(name).unwrap();
            if closed.waits_for.is_none() {
                return;
            }
        }
        panic!("{name} does not close");
    }

    fn assert_nothing_left(&mut self, account_minor: u64, what: &str) {
        assert_eq!(self.files(), [""; 0], "{what}");
        assert!(self.wallet().cards().unwrap().is_empty(), "{what}");
        assert_eq!(self.account_minor(), account_minor as i64, "{what}");
        self.assert_sound();
    }
}

#[test]
fn an_account_is_opened_loaded_spent_and_closed() {
    let mut kit = Kit::new();
    let name = kit.open();
    assert_eq!(kit.transact(Flow::Load, LOAD, Interface::Contact).unwrap(), Verdict::Loaded);
    assert_eq!((kit.account_minor(), kit.cards_minor()), (45_000, 5_000));
    let paid = kit.transact(Flow::Pay, PAYMENT, Interface::Contactless).unwrap();
    assert_eq!(paid, Verdict::ApprovedOffline);
    assert_eq!(kit.cards_minor(), 3_750);
    let closed = kit.close(&name).unwrap();
    assert_eq!((closed.waits_for, closed.unloads.len()), (None, 1));
    kit.assert_nothing_left(ACCOUNT_MINOR - PAYMENT.minor, "closed");
    let merchants = kit.issuer.books(&mut kit.context).unwrap().of(CNY).merchants_minor;
    assert_eq!(merchants, PAYMENT.minor as i64);
}

/// The holder of a phone, who confirms by a biometric match when the reader says so.
struct Holder {
    wallet: Wallet,
    context: Context,
    confirms: bool,
    told: Vec<Message>,
}

impl Cardholder for Holder {
    fn enter_pin(&mut self, _: &PinPrompt) -> Option<Secret<String>> {
        None
    }

    fn choose(&mut self, _: &[ApplicationName]) -> Option<usize> {
        Some(0)
    }

    fn confirm(&mut self, _: &ApplicationName) -> bool {
        true
    }

    fn present_again(&mut self, message: Message) -> bool {
        self.told.push(message);
        self.confirms && self.wallet.unlock_by_biometric(&mut self.context).is_ok()
    }

    fn show(&mut self, _: Message, _: &str) {}
}

#[test]
fn a_locked_phone_is_seen_to_between_two_taps() {
    for confirms in [false, true] {
        let mut kit = Kit::new();
        let name = kit.open();
        kit.transact(Flow::Load, LOAD, Interface::Contact).unwrap();
        kit.wallet().set_express(Some(&name), &mut kit.context).unwrap();
        kit.wallet().lock(&mut kit.context).unwrap();
        let simulator = kit.wallet().simulator(None).unwrap();
        let mut stage = kit.stage(simulator, Interface::Contactless);
        let combinations = &mut std::sync::Arc::make_mut(&mut stage.config).combinations;
        combinations.iter_mut().for_each(|combination| combination.cvm_limit_minor = Some(1));
        let context = Context::simulated(9, Discard);
        let mut holder = Holder { wallet: kit.wallet(), context, confirms, told: Vec::new() };
        let (_, paid) = stage.transact(Flow::Pay, PAYMENT, &mut holder, &mut kit.context).unwrap();
        kit.leave(stage);
        assert_eq!(holder.told, [Message::SeePhone]);
        let (verdict, left) = match confirms {
            true => (Verdict::ApprovedOffline, LOAD.minor - PAYMENT.minor),
            false => (Verdict::EndApplication, LOAD.minor),
        };
        assert_eq!(paid.verdict, verdict, "{}", paid.reason);
        assert_eq!(kit.cards_minor(), left as i64);
    }
}

#[test]
fn a_wrong_pin_closes_nothing() {
    let mut kit = Kit::new();
    let name = kit.open();
    kit.transact(Flow::Load, LOAD, Interface::Contact).unwrap();
    let mut wallet = kit.wallet();
    begin_closing(&mut wallet, None, None, &mut kit.context).unwrap();
    let simulator = wallet.simulator(Some(&name)).unwrap();
    let mut stage = kit.stage(simulator, Interface::Contact);
    let mut wrong = Secret::new("654321".to_owned());
    let closed = close_ecash(&mut wallet, &name, &mut stage, &mut wrong, &mut kit.context).unwrap();
    assert!(closed.waits_for.unwrap().contains("55"));
    kit.leave(stage);
    assert_eq!(kit.cards_minor(), 5_000);
    // No terminal pays with it any more, and the next closing goes on.
    let simulator = kit.wallet().simulator(Some(&name)).unwrap();
    let mut stage = kit.stage(simulator, Interface::Contactless);
    let mut pin = Secret::new(DEFAULT_PIN.to_owned());
    let (_, paid) = stage.transact(Flow::Pay, PAYMENT, &mut pin, &mut kit.context).unwrap();
    assert_eq!(paid.verdict, Verdict::EndApplication, "{}", paid.reason);
    kit.leave(stage);
    kit.close_for_good(&name);
    kit.assert_nothing_left(ACCOUNT_MINOR, "closed at last");
}

/// Every point at which the card can be pulled out of a load: closing settles it first.
#[test]
fn closing_settles_an_unfinished_load_first() {
    for exchange in 0.. {
        let mut happened = false;
        for point in FaultPoint::ALL {
            let mut kit = Kit::new();
            let name = kit.open();
            kit.pull.arm(Some(FaultPlan { exchange, point: *point }));
            let simulator = kit.wallet().simulator(None).unwrap();
            let mut stage = kit.stage(simulator, Interface::Contact);
            let mut pin = Secret::new(DEFAULT_PIN.to_owned());
            let _ = stage.transact(Flow::Load, LOAD, &mut pin, &mut kit.context);
            happened |= kit.pull.is_away();
            kit.leave(stage);
            kit.close_for_good(&name);
            kit.assert_nothing_left(ACCOUNT_MINOR, &format!("exchange {exchange}, {}", point.word()));
        }
        if !happened {
            assert!(exchange > 5, "only {exchange} exchanges");
            return;
        }
    }
}

/// A card pulled or a wire cut, a message lost, doubled or late, a terminal stopped, a
/// script refused: whatever the tear world knows, at every place of a closing.
#[test]
fn a_closing_that_breaks_is_gone_on_with() {
    // Of a wire's cuts, each so many: the tear matrix itself cuts at every byte.
    for (by_wire, every) in [(false, 1), (true, 11)] {
        let mut loaded = Kit::loaded(by_wire);
        let size = loaded.measure(every);
        assert!(size.messages >= 2 && size.writes > 4, "{size:?}");
        let faults = TearFault::all(&size);
        assert!(faults.len() > 60, "only {} faults", faults.len());
        let own = faults.into_iter().filter(|fault| by_wire == matches!(fault, TearFault::Wire(..)));
        for fault in own.step_by(every) {
            let mut kit = Kit::loaded(by_wire);
            kit.arm(Some(fault));
            let _ = kit.close("bus");
            kit.arm(None);
            kit.close_for_good("bus");
            kit.assert_nothing_left(ACCOUNT_MINOR, &format!("{fault:?}"));
            // What was on its way for long arrives when all is over.
            let mut issuer = kit.issuer.handle().unwrap();
            kit.line.deliver_delayed(&mut issuer, &mut kit.context);
            kit.assert_nothing_left(ACCOUNT_MINOR, &format!("{fault:?}, and its message came"));
        }
    }
}

/// Every write of the phone's store at which its process can be stopped, while it opens
/// and while it closes an account: one card, one row on the issuer's file, or none.
#[test]
fn a_phone_that_stops_at_a_write_goes_on_from_there() {
    for committed in [false, true] {
        for write in 0.. {
            let mut kit = Kit::new();
            kit.wallet();
            kit.crash.arm(Some(CrashPlan { write, committed }));
            let opened = kit.crashing().and_then(|mut wallet| {
                let new = NewEcash { name: Some("bus".into()), ..kit.new_ecash() };
                open_ecash(&mut wallet, &mut kit.issuer, &new, &mut kit.context)
            });
            let (mut wallet, new) = (kit.wallet(), NewEcash { name: Some("bus".into()), ..kit.new_ecash() });
            open_ecash(&mut wallet, &mut kit.issuer, &new, &mut kit.context).unwrap();
            let cards = wallet.cards().unwrap();
            assert_eq!((cards.len(), kit.files().len()), (1, 2), "write {write}, {committed}");
            drop(wallet);
            kit.transact(Flow::Load, LOAD, Interface::Contact).unwrap();
            kit.crash.arm(Some(CrashPlan { write, committed }));
            let closed = kit.close("bus");
            kit.close_for_good("bus");
            kit.assert_nothing_left(ACCOUNT_MINOR, &format!("write {write}, {committed}"));
            if opened.is_ok() && closed.is_ok() {
                assert!(write > 5, "only {write} writes");
                break;
            }
        }
    }
}
