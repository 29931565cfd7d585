//! The physical card changes, tokens are renewed, the issuer is told.

use super::kit::{PHONE, Phone, Stage, phone_of, wallet};
use super::taps::reversal;
use cardwright::air::host::{
    BindingChange, CodeCheck, CodeSent, ElementCheck, Holder, Host, HostError, Identity, KeyKind, Party,
    Standing, TokenService, TokenState, TokenVerb,
};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::roles::issuer::CardOrder;
use cardwright::roles::token::{Tokens, Vault};
use cardwright::words::emv::Pan;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const DEVICE: KeyKind = KeyKind::SecureElement;

fn new_order(stage: &Stage) -> CardOrder {
    CardOrder { pan: Pan::with_check_digit("629999000077777").unwrap(), psn: 1, ..stage.world.order.clone() }
}

fn replace(stage: &mut Stage) -> CardOrder {
    let (old, order) = (stage.world.card.pan.clone(), new_order(stage));
    for _ in 0..2 {
        stage.world.issuer.replace_card(&old, 0, &order, &mut stage.context).unwrap();
    }
    order
}

#[test]
fn tokens_move_with_a_replaced_card_and_number_and_reference_stay() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", DEVICE);
    let before = stage.view(&phone);
    let paid = stage.tap_request(&mut phone, 700);
    assert!(stage.host.authorise(&paid, &mut stage.context).unwrap().code.is_approved());
    let order = replace(&mut stage);
    assert!(!stage.tap(&mut phone, 100).code.is_approved(), "the old card is out of use");
    let old = stage.world.card.pan.clone();
    for _ in 0..2 {
        let moved = stage.service.card_changed(&old, &wallet(), &mut stage.context).unwrap();
        assert_eq!((&moved[0].par, &moved[0].token_last_four), (&before.par, &before.token_last_four));
        assert_eq!(moved[0].last_four, order.pan.expose()[12..]);
    }
    let history = stage.service.vault().history(&phone.token.0, &mut stage.context).unwrap();
    assert_eq!(history.iter().filter(|row| row.what == "MoveCard").count(), 1, "{history:?}");
    assert!(stage.tap(&mut phone, 100).code.is_approved());
    // What the old card paid goes back to where it came from, and a repeat is a repeat.
    assert!(stage.host.authorise(&paid, &mut stage.context).unwrap().code.is_approved());
    assert!(stage.host.reverse(&reversal(&paid), &mut stage.context).unwrap().code.is_approved());
    assert_eq!(stage.world.books().merchants_minor, 100);
    stage.assert_sound();
}

#[test]
fn a_wallet_cannot_claim_a_replacement() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", DEVICE);
    let pan = stage.world.card.pan.clone();
    stage.service.card_changed(&pan, &wallet(), &mut stage.context).unwrap();
    assert!(stage.tap(&mut phone, 100).code.is_approved(), "the issuer says that the card is good");
    let stranger = Pan::with_check_digit("629999000012345").unwrap();
    assert!(stage.service.card_changed(&stranger, &wallet(), &mut stage.context).is_err());
    stage.assert_sound();
}

#[test]
fn a_replaced_card_that_is_in_the_device_already_keeps_one_token_there() {
    let mut stage = Stage::new();
    let mut old = stage.add("phone", DEVICE);
    let order = replace(&mut stage);
    let mut request = stage.request("phone", DEVICE);
    request.pan = order.pan.clone();
    let replaced = std::mem::replace(&mut stage.world.card.pan, order.pan);
    let mut new = stage.add_request(&request, PHONE);
    stage.service.card_changed(&replaced, &wallet(), &mut stage.context).unwrap();
    assert!(stage.tap(&mut new, 100).code.is_approved());
    assert_eq!(stage.tap(&mut old, 100).reason, "the token is terminated");
    assert_eq!(stage.service.vault().check(&mut stage.context).unwrap(), []);
}

#[test]
fn a_cancelled_card_kills_its_tokens_and_what_is_under_way() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", DEVICE);
    let open = stage.request("watch", DEVICE);
    stage.approve(&open, PHONE);
    stage.service.make_token(&open.provisioning, &mut stage.context).unwrap();
    let pan = stage.world.card.pan.clone();
    assert!(stage.world.issuer.cancel_card(&pan, 0, &mut stage.context).unwrap());
    for _ in 0..2 {
        let views = stage.service.card_changed(&pan, &Party::Issuer, &mut stage.context).unwrap();
        assert!(views.iter().all(|view| view.state == TokenState::Terminated));
    }
    assert_eq!(stage.tap(&mut phone, 100).reason, "the token is terminated");
    assert!(stage.service.activate(&open.provisioning, &mut stage.context).is_err());
    let again = stage.request("phone", DEVICE);
    assert!(stage.service.check_eligibility(&again, &mut stage.context).is_err());
    assert_eq!(stage.world.issuer.bindings(&pan, &mut stage.context).unwrap(), 0);
    stage.assert_sound();
}

#[test]
fn renewing_gives_a_later_expiry_and_the_same_keys() {
    let mut stage = Stage::new();
    let phone = stage.add("phone", DEVICE);
    let before = stage.view(&phone).expiry;
    stage.context.elapse(Duration::from_secs(86_400 * 365 * 2));
    let made = stage.service.renew(&phone.token, &wallet(), &mut stage.context).unwrap();
    assert_eq!(stage.service.renew(&phone.token, &wallet(), &mut stage.context).unwrap(), made);
    assert_eq!(made.token.expiry, before + 20_000);
    stage.context.elapse(Duration::from_secs(86_400 * 365 * 2));
    let mut renewed = Phone { token: phone.token.clone(), ..phone_of(&made) };
    // Its first expiry is past, its second is not.
    assert_eq!(stage.tap(&mut renewed, 100).reason, "the purchase is booked");
    stage.service.change(&phone.token, TokenVerb::Suspend, &wallet(), &mut stage.context).unwrap();
    assert!(stage.service.renew(&phone.token, &wallet(), &mut stage.context).is_err());
    stage.assert_sound();
}

/// An issuer that cannot be told of bindings for a while.
struct Deaf(Box<dyn Identity>, Arc<AtomicBool>);

impl Identity for Deaf {
    fn standing(&mut self, pan: &Pan, context: &mut Context) -> Result<Option<Standing>, HostError> {
        self.0.standing(pan, context)
    }

    fn check(
        &mut self,
        pan: &Pan,
        holder: &Holder,
        context: &mut Context,
    ) -> Result<ElementCheck, HostError> {
        self.0.check(pan, holder, context)
    }

    fn send_code(
        &mut self,
        key: &str,
        pan: &Pan,
        context: &mut Context,
    ) -> Result<Option<CodeSent>, HostError> {
        self.0.send_code(key, pan, context)
    }

    fn confirm_code(
        &mut self,
        key: &str,
        code: &Secret<String>,
        context: &mut Context,
    ) -> Result<CodeCheck, HostError> {
        self.0.confirm_code(key, code, context)
    }

    fn binding_changed(
        &mut self,
        pan: &Pan,
        binding: &str,
        change: BindingChange,
        context: &mut Context,
    ) -> Result<(), HostError> {
        match self.1.load(Ordering::SeqCst) {
            true => Err(HostError::NoAnswer { timeout_ms: 1 }),
            false => self.0.binding_changed(pan, binding, change, context),
        }
    }
}

#[test]
fn an_issuer_that_does_not_answer_is_told_later() {
    let mut stage = Stage::new();
    let deaf = Arc::new(AtomicBool::new(true));
    let seal = cardwright::base::store::SealKey::from_bytes([3; 32]).into();
    let db = crate::store::fresh_store();
    let vault =
        Vault::open(db, seal, super::kit::token_keys(), Default::default(), &mut stage.context).unwrap();
    let issuer = Deaf(Box::new(stage.world.issuer.handle().unwrap()), Arc::clone(&deaf));
    stage.service = Tokens::new(vault, Box::new(issuer), Box::new(super::kit::bureau()));
    let phone = stage.add("phone", DEVICE);
    let pan = stage.world.card.pan.clone();
    let bindings = |stage: &mut Stage| stage.world.issuer.bindings(&pan, &mut stage.context).unwrap();
    assert_eq!((bindings(&mut stage), stage.view(&phone).state), (0, TokenState::Active));
    deaf.store(false, Ordering::SeqCst);
    stage.service.tell_issuer(&mut stage.context).unwrap();
    assert_eq!(bindings(&mut stage), 1);
    // Unbinding at the wallet tells the issuer.
    stage.service.change(&phone.token, TokenVerb::Remove, &wallet(), &mut stage.context).unwrap();
    assert_eq!(bindings(&mut stage), 0);
}
