//! Taps: what is declined and with which reason, what is booked once, and what the
//! answer tells.

use super::kit::{Stage, requestor_id, wallet, with_key};
use cardwright::air::host::{
    Entry, Host, KeyKind, Kind, MessageClass, Party, Request, ResponseCode, TokenService, TokenVerb,
};
use cardwright::roles::token::{Domain, LimitedUse, TokenRules};
use cardwright::words::dictionary::tag;
use cardwright::words::tlv::TlvStore;
use std::time::Duration;

fn staged(domain: Domain) -> Stage {
    Stage::ruled(TokenRules { domain, ..TokenRules::default() })
}

#[test]
fn an_answer_tells_the_account_and_not_the_card() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", KeyKind::SecureElement);
    let answer = stage.tap(&mut phone, 100);
    let view = stage.view(&phone);
    assert_eq!(answer.chip.value(tag::PAYMENT_ACCOUNT_REFERENCE), Some(view.par.as_bytes()));
    assert_eq!(view.par.len(), 29);
    let pan = stage.world.card.pan.expose().to_owned();
    assert_eq!(view.last_four, pan[pan.len() - 4..]);
    let told = answer.chip.value(tag::LAST_4_DIGITS_OF_PAN).unwrap();
    assert_eq!(cardwright::base::bytes::Hex(told).to_string(), view.last_four);
    assert_ne!(view.token_last_four, "");
}

#[test]
fn a_wrong_domain_is_declined_with_that_reason() {
    let mut stage = staged(Domain {
        merchant_categories: vec![5411],
        countries: vec![156],
        amount_limit_minor: Some(5_000),
        ..Domain::default()
    });
    let mut phone = stage.add("phone", KeyKind::SecureElement);
    let mut tap = |stage: &mut Stage, amount, entry, category: Option<[u8; 2]>, country| {
        let mut request = stage.tap_request(&mut phone, amount);
        request.entry = entry;
        if let Some(category) = category {
            request.chip.put(tag::MERCHANT_CATEGORY_CODE, category);
        }
        if let Some(country) = country {
            // Signed by the card, so it signs anew.
            let mut chip: TlvStore = request.chip.clone();
            chip.put(tag::TERMINAL_COUNTRY_CODE, country);
            request.chip = phone.card.sign_again(chip);
        }
        stage.host.authorise(&request, &mut stage.context).unwrap().reason
    };
    let (quick, grocer) = (Entry::ContactlessQuick, Some([0x54, 0x11]));
    assert!(
        tap(&mut stage, 100, Entry::Contact, grocer, None)
            .starts_with("wrong domain: the token pays contactless")
    );
    assert!(tap(&mut stage, 100, quick, None, None).contains("class of merchant"));
    assert!(tap(&mut stage, 100, quick, Some([0x59, 0x12]), None).contains("class of merchant"));
    assert!(tap(&mut stage, 5_001, quick, grocer, None).contains("the amount is above"));
    assert!(tap(&mut stage, 100, quick, grocer, Some([0x08, 0x40])).contains("this country"));
    assert_eq!(tap(&mut stage, 100, quick, grocer, None), "the purchase is booked");
    stage.assert_sound();
}

#[test]
fn a_tap_of_another_device_or_without_the_key_is_declined() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", KeyKind::SecureElement);
    let other = stage.add("watch", KeyKind::SecureElement);
    let own = std::mem::replace(&mut phone.mark, other.mark.clone());
    assert!(stage.tap(&mut phone, 100).reason.starts_with("wrong device"));
    phone.mark = own;
    let mut thief = with_key(&phone, &[7; 16].into());
    let answer = stage.tap(&mut thief, 100);
    assert_eq!(answer.reason, "the application cryptogram (9F26) is wrong");
    phone.card.atc = thief.card.atc - 1;
    assert!(stage.tap(&mut phone, 100).code.is_approved(), "a wrong cryptogram burns no counter");
    phone.card.atc -= 1;
    let answer = stage.tap(&mut phone, 200);
    assert!(answer.reason.contains("9F36"), "{}", answer.reason);
    stage.assert_sound();
}

#[test]
fn suspended_held_removed_and_expired_are_declined_with_that_reason() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", KeyKind::SecureElement);
    let change = |stage: &mut Stage, verb, by: &Party| {
        let token = stage.tokens()[0].reference.clone();
        stage.service.change(&token, verb, by, &mut stage.context).unwrap();
    };
    change(&mut stage, TokenVerb::Suspend, &wallet());
    let answer = stage.tap(&mut phone, 100);
    assert_eq!(
        (answer.code, answer.reason.as_str()),
        (ResponseCode::RESTRICTED, "the token is suspended by its holder")
    );
    phone.card.check_arpc(&answer);
    change(&mut stage, TokenVerb::Resume, &wallet());
    stage
        .service
        .lost_device(&requestor_id(super::kit::REQUESTOR), "phone", &wallet(), &mut stage.context)
        .unwrap();
    assert_eq!(stage.tap(&mut phone, 100).reason, "the token is suspended by its issuer");
    change(&mut stage, TokenVerb::Resume, &Party::Issuer);
    stage.context.elapse(Duration::from_secs(86_400 * 365 * 4));
    let answer = stage.tap(&mut phone, 100);
    assert_eq!((answer.code, answer.reason.as_str()), (ResponseCode::EXPIRED, "the token has expired"));
    change(&mut stage, TokenVerb::Remove, &wallet());
    assert_eq!(stage.tap(&mut phone, 100).reason, "the token is terminated");
    stage.assert_sound();
}

#[test]
fn a_message_sent_twice_acts_once_and_answers_the_same() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", KeyKind::SecureElement);
    let request = stage.tap_request(&mut phone, 700);
    let first = stage.host.authorise(&request, &mut stage.context).unwrap();
    let second = stage.host.authorise(&request, &mut stage.context).unwrap();
    assert_eq!(first, second);
    let mut other = request.clone();
    other.key.trace += 1;
    let answer = stage.host.authorise(&other, &mut stage.context).unwrap();
    assert!(answer.reason.contains("another message"), "{}", answer.reason);
    let declined = {
        phone.entry = Entry::Contact;
        stage.tap_request(&mut phone, 50)
    };
    let first = stage.host.authorise(&declined, &mut stage.context).unwrap();
    assert_eq!(stage.host.authorise(&declined, &mut stage.context).unwrap(), first);
    assert!(!first.code.is_approved());
    assert_eq!(stage.world.books().merchants_minor, 700);
    stage.assert_sound();
}

pub(super) fn reversal(request: &Request) -> Request {
    let mut reversal = request.clone();
    reversal.key.class = MessageClass::Reversal;
    reversal.chip = TlvStore::new();
    reversal
}

#[test]
fn a_reversal_reaches_the_account_whatever_the_token_is() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", KeyKind::SecureElement);
    let request = stage.tap_request(&mut phone, 700);
    assert!(stage.host.authorise(&request, &mut stage.context).unwrap().code.is_approved());
    stage.service.change(&phone.token, TokenVerb::Remove, &wallet(), &mut stage.context).unwrap();
    for _ in 0..2 {
        let answer = stage.host.reverse(&reversal(&request), &mut stage.context).unwrap();
        assert!(answer.code.is_approved(), "{}", answer.reason);
    }
    assert_eq!(stage.world.books().merchants_minor, 0);
    stage.assert_sound();
}

#[test]
fn a_token_only_pays_online() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", KeyKind::SecureElement);
    let mut load = stage.tap_request(&mut phone, 100);
    load.kind = Kind::LinkedLoad;
    let answer = stage.host.authorise(&load, &mut stage.context).unwrap();
    assert_eq!(answer.code, ResponseCode::INVALID_TRANSACTION);
    let mut sale = load.clone();
    (sale.kind, sale.key.class) = (Kind::OfflineSale, MessageClass::Notice);
    let answer = stage.host.advise(&sale, &mut stage.context).unwrap();
    assert_eq!(answer.code, ResponseCode::INVALID_TRANSACTION);
    // What is no token goes through as it is.
    let request = stage.world.load_request(100);
    let answer = stage.host.authorise(&request, &mut stage.context).unwrap();
    assert!(answer.code.is_approved(), "{}", answer.reason);
    // The issuer itself knows no token, and takes no terminal's word for one.
    let request = stage.tap_request(&mut phone, 100);
    let answer = stage.world.issuer.authorise(&request, &mut stage.context).unwrap();
    assert_eq!(answer.code, ResponseCode::NO_SUCH_CARD);
    let mut claimed = request;
    claimed.pan = stage.world.card.pan.expose().to_owned().into();
    let answer = stage.host.authorise(&claimed, &mut stage.context).unwrap();
    assert!(!answer.code.is_approved(), "a token's cryptogram under the card's number");
}

#[test]
fn limited_use_keys_end_by_count_amount_age_and_successor() {
    let limited_use = LimitedUse { uses: 3, amount_minor: 1_000, age: Duration::from_secs(600) };
    let mut stage = Stage::ruled(TokenRules { limited_use, ..TokenRules::default() });
    let mut first = stage.add("phone", KeyKind::LimitedUse);
    let replenish = |stage: &mut Stage, phone: &super::kit::Phone, after| {
        stage.service.replenish(&phone.token, after, &wallet(), &mut stage.context).unwrap()
    };
    assert!(stage.tap(&mut first, 100).code.is_approved());
    assert!(stage.tap(&mut first, 901).reason.contains("what the limited-use key has left"));
    assert!(stage.tap(&mut first, 100).code.is_approved());
    assert!(stage.tap(&mut first, 100).code.is_approved());
    assert!(stage.tap(&mut first, 100).reason.contains("no payment left"));
    let key = replenish(&mut stage, &first, 1);
    assert_eq!(key, replenish(&mut stage, &first, 1), "asked for again, the same");
    assert_eq!((key.sequence, key.uses), (2, 3));
    let mut second = with_key(&first, &key.key);
    assert!(stage.tap(&mut second, 100).code.is_approved());
    first.card.atc = second.card.atc;
    assert!(stage.tap(&mut first, 1).reason.contains("a newer limited-use key has been used"));
    second.card.atc = first.card.atc;
    stage.context.elapse(Duration::from_secs(601));
    assert!(stage.tap(&mut second, 100).reason.contains("too old"));
    assert!(stage.service.replenish(&first.token, 7, &wallet(), &mut stage.context).is_err());
    stage.service.change(&first.token, TokenVerb::Suspend, &wallet(), &mut stage.context).unwrap();
    assert!(stage.service.replenish(&first.token, 2, &wallet(), &mut stage.context).is_err());
    stage.assert_sound();
}
