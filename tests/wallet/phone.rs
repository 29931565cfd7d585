//! The lock, the default card, express transit: what a terminal meets.

use super::kit::Kit;
use cardwright::air::link::{Card, Endpoint, InProcess, Interface};
use cardwright::base::bytes::Secret;
use cardwright::devices::wallet::{CardState, DEFAULT_PASSCODE, Unlocked, WalletError};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::{Ctq, Ttq};
use cardwright::words::iso7816::{CommandApdu, ResponseApdu, StatusWord};
use cardwright::words::tlv::{Dol, find};

fn send(card: &mut impl Card, kit: &mut Kit, bytes: &[u8]) -> ResponseApdu {
    card.transmit(&CommandApdu::parse(bytes).unwrap(), &mut kit.context).unwrap()
}

/// What the default card answers to a tap with these qualifiers: the status of the
/// last command, and the card's transaction qualifiers where it got so far.
fn tap(kit: &mut Kit, ttq: Ttq) -> (StatusWord, Option<Ctq>) {
    let simulator = kit.wallet().simulator(None).unwrap();
    let mut card = InProcess::connect(simulator, Interface::Contactless, &mut kit.context);
    let aid = [0xA0, 0, 0, 3, 0x33, 1, 1, 6];
    let selected = send(&mut card, kit, &[&[0, 0xA4, 4, 0, 8], aid.as_slice(), &[0]].concat());
    if !selected.status.is_ok() {
        return (selected.status, None);
    }
    let pdol = Dol::parse(find(&selected.data, tag::PDOL).unwrap().unwrap().value).unwrap();
    let mut data = Vec::new();
    for entry in &pdol.0 {
        let length = usize::from(entry.length);
        let mut value = match entry.tag {
            tag::TTQ => ttq.0.to_vec(),
            tag::AMOUNT_AUTHORISED => vec![0, 0, 0, 0, 1, 0],
            tag::TRANSACTION_CURRENCY_CODE => vec![1, 0x56],
            _ => vec![0; length],
        };
        value.resize(length, 0);
        data.extend(value);
    }
    let mut command = vec![0x80, 0xA8, 0, 0, data.len() as u8 + 2, 0x83, data.len() as u8];
    command.extend(data);
    command.push(0);
    let options = send(&mut card, kit, &command);
    let ctq = find(&options.data, tag::CTQ).unwrap().map(|ctq| Ctq(ctq.value.try_into().unwrap()));
    (options.status, ctq)
}

#[test]
fn an_unlocked_phone_vouches_for_its_holder_and_a_locked_one_is_silent() {
    let mut kit = Kit::new();
    let name = kit.open();
    let quick = Ttq::default().with(Ttq::QUICK_PATH).with(Ttq::ONLINE_PIN);
    let wanted = quick.with(Ttq::CVM_REQUIRED);

    let (status, ctq) = tap(&mut kit, wanted.with(Ttq::CDCVM));
    let ctq = ctq.unwrap();
    assert!(status.is_ok() && ctq.has(Ctq::CDCVM_PERFORMED) && !ctq.has(Ctq::ONLINE_PIN_REQUIRED));
    // A reader that does not know device CVM asks for the PIN all the same.
    let ctq = tap(&mut kit, wanted).1.unwrap();
    assert!(ctq.has(Ctq::CDCVM_PERFORMED) && ctq.has(Ctq::ONLINE_PIN_REQUIRED));

    kit.wallet().lock(&mut kit.context).unwrap();
    assert_eq!(tap(&mut kit, quick), (StatusWord::FILE_NOT_FOUND, None));

    kit.wallet().set_express(Some(&name), &mut kit.context).unwrap();
    let (status, ctq) = tap(&mut kit, quick);
    assert!(status.is_ok() && !ctq.unwrap().has(Ctq::CDCVM_PERFORMED));
    assert_eq!(tap(&mut kit, wanted.with(Ttq::CDCVM)), (StatusWord::NOT_ALLOWED, None));

    let passcode = Secret::new(DEFAULT_PASSCODE.to_owned());
    kit.wallet().unlock(&passcode, &mut kit.context).unwrap();
    assert!(tap(&mut kit, quick).1.unwrap().has(Ctq::CDCVM_PERFORMED));
    kit.wallet().advance(&name, CardState::Suspended, &mut kit.context).unwrap();
    assert_eq!(tap(&mut kit, quick), (StatusWord::FILE_NOT_FOUND, None));
}

#[test]
fn over_the_wire_a_locked_phone_is_silent_too() {
    let mut kit = Kit::new();
    let name = kit.open();
    let mut wallet = kit.wallet();
    wallet.set_express(Some(&name), &mut kit.context).unwrap();
    wallet.lock(&mut kit.context).unwrap();
    let mut card = wallet.simulator(None).unwrap();
    card.power_on(Interface::Contact, &mut kit.context);
    let pse = [&[0, 0xA4, 4, 0, 14], b"1PAY.SYS.DDF01".as_slice(), &[0]].concat();
    assert_eq!(card.process(&pse, &mut kit.context).unwrap(), [0x6A, 0x82]);
}

#[test]
fn a_wrong_passcode_costs_a_try_and_ten_disable_the_phone() {
    let mut kit = Kit::new();
    let mut wallet = kit.wallet();
    wallet.lock(&mut kit.context).unwrap();
    let (right, wrong) = (Secret::new("24680".to_owned()), Secret::new("111111".to_owned()));
    let default = Secret::new(DEFAULT_PASSCODE.to_owned());
    wallet.set_passcode(&default, &right, &mut kit.context).unwrap();
    assert_eq!(wallet.unlock(&default, &mut kit.context), Err(WalletError::Passcode { left: 9 }));
    assert_eq!(wallet.phone().unwrap().unlocked, Unlocked::No);
    assert_eq!(wallet.unlock_by_biometric(&mut kit.context), Err(WalletError::BiometricFirst));
    wallet.unlock(&right, &mut kit.context).unwrap();
    wallet.lock(&mut kit.context).unwrap();
    wallet.unlock_by_biometric(&mut kit.context).unwrap();
    assert_eq!(wallet.phone().unwrap().unlocked, Unlocked::Biometric);
    for left in (1..10).rev() {
        assert_eq!(wallet.unlock(&wrong, &mut kit.context), Err(WalletError::Passcode { left }));
    }
    assert_eq!(wallet.unlock(&wrong, &mut kit.context), Err(WalletError::Disabled));
    assert_eq!(wallet.unlock(&right, &mut kit.context), Err(WalletError::Disabled));
    let text = Secret::new("12a4".to_owned());
    let mut fresh = Kit::new().wallet();
    let error = fresh.set_passcode(&default, &text, &mut kit.context).unwrap_err();
    assert_eq!(error, WalletError::PasscodeForm { found: 4 });
}

#[test]
fn the_default_card_is_one_that_can_answer() {
    let mut kit = Kit::new();
    assert_eq!(kit.wallet().simulator(None).err(), Some(WalletError::NoDefault));
    let (first, second) = (kit.open(), kit.open());
    assert_eq!((first.as_str(), second.as_str()), ("ecash-1", "ecash-2"));
    let mut wallet = kit.wallet();
    assert_eq!(wallet.phone().unwrap().default_card.as_ref(), Some(&first));
    wallet.set_default(&second, &mut kit.context).unwrap();
    wallet.remove(&second, &mut kit.context).unwrap();
    assert_eq!(wallet.phone().unwrap().default_card.as_ref(), Some(&first));
    assert!(matches!(wallet.set_default("nobody", &mut kit.context), Err(WalletError::NoCard { .. })));
    wallet.remove(&first, &mut kit.context).unwrap();
    assert_eq!(wallet.phone().unwrap().default_card, None);
    assert_eq!(kit.files(), [""; 0]);
}

#[test]
fn a_card_takes_no_other_way_than_the_table_has() {
    use CardState::{Active, Closing, Making, Removing, Suspended};
    let ways = [
        (Making, vec![Active, Removing]),
        (Active, vec![Suspended, Closing, Removing]),
        (Suspended, vec![Active, Closing, Removing]),
        (Closing, vec![Removing]),
        (Removing, vec![]),
    ];
    for (from, to) in ways {
        for next in CardState::ALL {
            assert_eq!(from.may_become(*next), to.contains(next), "{from} -> {next}");
        }
        assert_eq!(CardState::from_word(from.word()), Some(from));
    }
}
