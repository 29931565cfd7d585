//! A card on its way into a device: the rules' three colours, codes, breaks, bindings.

use super::kit::{OTHER_PHONE, OTHER_REQUESTOR, PHONE, Stage, holder, phone_of, requestor_id, rules, wallet};
use cardwright::air::host::{
    CodeCheck, Colour, EligibilityRequest, Holder, KeyKind, Party, ProvisioningState, TokenError,
    TokenService, TokenState, TokenVerb,
};
use cardwright::base::bytes::Secret;
use std::time::Duration;

const DEVICE: KeyKind = KeyKind::SecureElement;

#[test]
fn a_new_card_wants_a_code_and_then_pays_on_its_account() {
    let mut stage = Stage::new();
    let request = stage.request("phone", DEVICE);
    assert_eq!(stage.approve(&request, PHONE), Colour::Yellow);
    let made = stage.service.make_token(&request.provisioning, &mut stage.context).unwrap();
    assert_eq!(made.token.state, TokenState::Requested);
    let mut phone = phone_of(&made);
    assert!(phone.card.pan.is_token());
    assert_ne!(phone.card.pan, stage.world.card.pan);
    let early = stage.tap(&mut phone, 100);
    assert_eq!(early.reason, "the token is not activated");
    let again = stage.service.make_token(&request.provisioning, &mut stage.context).unwrap();
    assert_eq!(again, made, "the same step again gives the same data");
    stage.service.personalised(&request.provisioning, &mut stage.context).unwrap();
    stage.service.activate(&request.provisioning, &mut stage.context).unwrap();
    let answer = stage.tap(&mut phone, 1_500);
    assert!(answer.code.is_approved(), "{}", answer.reason);
    phone.card.check_arpc(&answer);
    assert_eq!(stage.world.books().total_minor(), crate::issuer::kit::ACCOUNT_MINOR);
    assert_eq!(stage.world.issuer.bindings(&request.pan, &mut stage.context).unwrap(), 1);
    stage.assert_sound();
}

#[test]
fn what_the_rules_refuse_leaves_no_token() {
    let mut stage = Stage::new();
    let request = stage.request("phone", DEVICE);
    let terms = stage.service.check_eligibility(&request, &mut stage.context).unwrap().terms;
    let wrong = Holder { name: Secret::new("Li Si".into()), ..holder(PHONE) };
    let id = &request.provisioning;
    let decision = stage.service.accept_terms(id, &terms, &wrong, &mut stage.context).unwrap();
    assert_eq!((decision.colour, decision.reasons[0].as_str()), (Colour::Red, "elements-differ"));
    let again = stage.service.accept_terms(id, &terms, &holder(PHONE), &mut stage.context).unwrap();
    assert_eq!(again, decision, "a decision stands");
    assert!(matches!(stage.service.make_token(id, &mut stage.context), Err(TokenError::State { .. })));
    assert_eq!(stage.tokens(), []);
    for _ in 0..4 {
        let request = stage.request("phone", DEVICE);
        stage.service.check_eligibility(&request, &mut stage.context).unwrap();
        stage.service.accept_terms(&request.provisioning, &terms, &wrong, &mut stage.context).unwrap();
    }
    let request = stage.request("phone", DEVICE);
    assert_eq!(stage.approve_only(&request), ["many-failures", "new-card"]);
    stage.assert_sound();
}

#[test]
fn a_code_has_tries_a_time_and_sendings() {
    let mut stage = Stage::new();
    let begin = |stage: &mut Stage| {
        let request = stage.request("phone", DEVICE);
        let terms = stage.service.check_eligibility(&request, &mut stage.context).unwrap().terms;
        let id = request.provisioning;
        stage.service.accept_terms(&id, &terms, &holder(PHONE), &mut stage.context).unwrap();
        id
    };
    let wrong = Secret::new("no code".to_owned());
    let id = begin(&mut stage);
    assert_eq!(stage.service.send_code(&id, &mut stage.context).unwrap().sends_left, 2);
    let confirm = |stage: &mut Stage, id, code: &_| stage.service.confirm_code(id, code, &mut stage.context);
    assert_eq!(confirm(&mut stage, &id, &wrong), Ok(CodeCheck::Wrong { tries_left: 2 }));
    stage.context.elapse(Duration::from_secs(301));
    assert_eq!(confirm(&mut stage, &id, &wrong), Ok(CodeCheck::Expired));
    stage.service.send_code(&id, &mut stage.context).unwrap();
    assert_eq!(confirm(&mut stage, &id, &wrong), Ok(CodeCheck::Wrong { tries_left: 1 }), "tries stay spent");
    assert_eq!(confirm(&mut stage, &id, &wrong), Ok(CodeCheck::Exhausted));
    assert_eq!(stage.service.progress(&id, &mut stage.context), Ok(ProvisioningState::Refused));
    let id = begin(&mut stage);
    for left in [2, 1, 0] {
        assert_eq!(stage.service.send_code(&id, &mut stage.context).unwrap().sends_left, left);
    }
    let refused = stage.service.send_code(&id, &mut stage.context).unwrap_err();
    assert!(refused.to_string().contains("code-sends"), "{refused}");
    let code = stage.code();
    assert_eq!(confirm(&mut stage, &id, &code), Ok(CodeCheck::Confirmed));
    assert_eq!(confirm(&mut stage, &id, &code), Ok(CodeCheck::Confirmed), "a repeat");
    stage.assert_sound();
}

/// Breaks after every step: the wallet goes on where it was, or rolls back.
#[test]
fn a_break_at_any_step_resumes_or_leaves_nothing() {
    for resumes in [true, false] {
        for steps in 0..=5 {
            let mut stage = Stage::new();
            let request = stage.request("phone", DEVICE);
            walk(&mut stage, &request, steps);
            stage.assert_sound();
            if resumes {
                let mut phone = walk(&mut stage, &request, 6).unwrap();
                assert!(stage.tap(&mut phone, 100).code.is_approved());
            } else if steps == 0 {
                continue;
            } else {
                for _ in 0..2 {
                    stage.service.abandon(&request.provisioning, &mut stage.context).unwrap();
                }
                assert!(stage.tokens().iter().all(|token| token.state == TokenState::Terminated));
                assert_eq!(stage.world.issuer.bindings(&request.pan, &mut stage.context).unwrap(), 0);
            }
            stage.assert_sound();
        }
    }
}

/// The first `steps` steps, each twice.
fn walk(stage: &mut Stage, request: &EligibilityRequest, steps: usize) -> Option<super::kit::Phone> {
    let (id, mut phone) = (&request.provisioning, None);
    for step in 0..steps {
        for _ in 0..2 {
            let context = &mut stage.context;
            match step {
                0 => drop(stage.service.check_eligibility(request, context).unwrap()),
                1 => {
                    let terms = "cardwright-terms-1";
                    drop(stage.service.accept_terms(id, terms, &holder(PHONE), context).unwrap());
                }
                2 => {
                    if stage.service.progress(id, context).unwrap() == ProvisioningState::Identifying {
                        stage.service.send_code(id, context).unwrap();
                        let code = stage.code();
                        stage.service.confirm_code(id, &code, &mut stage.context).unwrap();
                    }
                }
                3 => match stage.service.make_token(id, context) {
                    Ok(made) => phone = Some(phone_of(&made)),
                    Err(error) => panic!("{error}"),
                },
                4 => stage.service.personalised(id, context).unwrap(),
                _ => drop(stage.service.activate(id, context).unwrap()),
            }
        }
    }
    phone
}

#[test]
fn what_is_never_finished_is_swept() {
    let mut stage = Stage::new();
    let request = stage.request("phone", DEVICE);
    walk(&mut stage, &request, 4);
    let day = Duration::from_secs(86_400);
    let sweep = |stage: &mut Stage| stage.service.vault().sweep(day, &mut stage.context).unwrap();
    assert_eq!(sweep(&mut stage), 0);
    stage.context.elapse(day * 2);
    assert_eq!((sweep(&mut stage), sweep(&mut stage)), (1, 0));
    assert_eq!(stage.tokens()[0].state, TokenState::Terminated);
    let told = stage.service.activate(&request.provisioning, &mut stage.context).unwrap_err();
    assert!(told.to_string().contains("begin anew"), "{told}");
    stage.assert_sound();
}

#[test]
fn another_phone_takes_effect_with_its_code_and_not_before() {
    let mut stage = Stage::new();
    let mut old = stage.add("phone", DEVICE);
    stage.change_phone(OTHER_PHONE);
    // An attempt that fails leaves the old one working.
    let failed = stage.request("new phone", DEVICE);
    let terms = stage.service.check_eligibility(&failed, &mut stage.context).unwrap().terms;
    let id = &failed.provisioning;
    let decision = stage.service.accept_terms(id, &terms, &holder(OTHER_PHONE), &mut stage.context).unwrap();
    assert_eq!((decision.colour, decision.reasons[0].as_str()), (Colour::Yellow, "other-phone"));
    stage.service.send_code(id, &mut stage.context).unwrap();
    for _ in 0..3 {
        stage.service.confirm_code(id, &Secret::new("wrong".into()), &mut stage.context).unwrap();
    }
    assert!(stage.tap(&mut old, 100).code.is_approved());
    assert_eq!(stage.world.issuer.bindings(&failed.pan, &mut stage.context).unwrap(), 1);
    // One that is rolled back after its code does too.
    let broken = stage.request("new phone", DEVICE);
    stage.approve(&broken, OTHER_PHONE);
    stage.service.make_token(&broken.provisioning, &mut stage.context).unwrap();
    stage.service.abandon(&broken.provisioning, &mut stage.context).unwrap();
    assert!(stage.tap(&mut old, 100).code.is_approved());
    // One that succeeds releases it.
    let request = stage.request("new phone", DEVICE);
    let mut new = stage.add_request(&request, OTHER_PHONE);
    assert!(stage.tap(&mut new, 100).code.is_approved());
    assert_eq!(stage.tap(&mut old, 100).reason, "the token is terminated");
    assert_eq!(stage.world.issuer.bindings(&request.pan, &mut stage.context).unwrap(), 1, "not doubled");
    stage.assert_sound();
}

#[test]
fn without_a_code_the_first_payment_binds() {
    let mut stage = Stage::trusting();
    let mut old = stage.add("phone", DEVICE);
    stage.change_phone(OTHER_PHONE);
    let request = stage.request("new phone", DEVICE);
    let mut new = stage.add_request(&request, OTHER_PHONE);
    assert!(stage.tap(&mut old, 100).code.is_approved(), "the old one works on");
    let refused = stage.tap(&mut new, 10_000_000);
    assert!(!refused.code.is_approved());
    assert!(stage.tap(&mut old, 100).code.is_approved(), "a payment that fails binds nothing");
    assert!(stage.tap(&mut new, 100).code.is_approved());
    assert_eq!(stage.tap(&mut old, 100).reason, "the token is terminated");
    // On one device the newer token would end the older one, so a code is wanted.
    stage.change_phone(PHONE);
    let request = stage.request("new phone", DEVICE);
    assert_eq!(stage.approve_only(&request), ["other-phone-on-this-device"]);
    stage.assert_sound();
}

#[test]
fn one_card_has_one_identity_and_requestors_do_not_see_each_other() {
    let mut stage = Stage::trusting();
    stage.add("phone", DEVICE);
    let mut request = stage.request("phone", DEVICE);
    request.provisioning.requestor = requestor_id(OTHER_REQUESTOR);
    let other = stage.add_request(&request, PHONE);
    let by = Party::Wallet(requestor_id(OTHER_REQUESTOR));
    for (party, count) in [(&wallet(), 1), (&by, 1), (&Party::Issuer, 2)] {
        assert_eq!(stage.service.tokens(party, &mut stage.context).unwrap().len(), count);
    }
    let seen = stage.service.change(&other.token, TokenVerb::Remove, &wallet(), &mut stage.context);
    assert_eq!(seen, Err(TokenError::Unknown { what: "token" }));
    let lost =
        stage.service.lost_device(&requestor_id(OTHER_REQUESTOR), "phone", &wallet(), &mut stage.context);
    assert_eq!(lost, Err(TokenError::Unknown { what: "token" }));
    assert!(stage.service.progress(&request.provisioning, &mut stage.context).is_ok());
    // Another identity for the card, even where the issuer itself has changed its mind.
    let mut stage = Stage::new();
    stage.add("phone", DEVICE);
    let stranger = Holder { name: Secret::new("Li Si".into()), ..holder(PHONE) };
    let account = cardwright::roles::issuer::AccountId("A1".into());
    stage.world.issuer.set_account_holder(&account, &stranger, &mut stage.context).unwrap();
    let request = stage.request("tablet", DEVICE);
    let terms = stage.service.check_eligibility(&request, &mut stage.context).unwrap().terms;
    let id = &request.provisioning;
    let decision = stage.service.accept_terms(id, &terms, &stranger, &mut stage.context).unwrap();
    assert_eq!((decision.colour, decision.reasons[0].as_str()), (Colour::Red, "other-identity"));
    stage.assert_sound();
}

#[test]
fn a_second_add_on_one_device_takes_the_place_of_the_first() {
    let mut stage = Stage::new();
    let mut first = stage.add("phone", DEVICE);
    let mut second = stage.add("phone", DEVICE);
    assert_eq!(stage.tap(&mut first, 100).reason, "the token is terminated");
    assert!(stage.tap(&mut second, 100).code.is_approved());
    assert_eq!(stage.view(&first).par, stage.view(&second).par);
    stage.add("watch", DEVICE);
    assert!(stage.tap(&mut second, 100).code.is_approved(), "another device is another token");
    stage.assert_sound();
}

#[test]
fn what_a_request_says_is_checked() {
    let mut stage = Stage::ruled(rules(""));
    let mut request = stage.request("phone", DEVICE);
    request.device_score = 0;
    assert!(matches!(
        stage.service.check_eligibility(&request, &mut stage.context),
        Err(TokenError::Field { .. })
    ));
    request.device_score = 5;
    request.pan = cardwright::words::emv::Pan::with_check_digit("629999000099999").unwrap();
    let refused = stage.service.check_eligibility(&request, &mut stage.context).unwrap_err();
    assert!(refused.to_string().contains("card-not-good"), "{refused}");
    let token = stage.add("watch", DEVICE);
    request.pan = token.card.pan.clone();
    assert!(matches!(
        stage.service.check_eligibility(&request, &mut stage.context),
        Err(TokenError::Field { .. })
    ));
    let id = stage.provisioning(super::kit::REQUESTOR);
    assert_eq!(
        stage.service.progress(&id, &mut stage.context),
        Err(TokenError::Unknown { what: "provisioning" })
    );
    let used = EligibilityRequest { device: "other".into(), ..stage.request("phone", DEVICE) };
    stage.service.check_eligibility(&used, &mut stage.context).unwrap();
    let other = EligibilityRequest { device: "third".into(), ..used };
    let refused = stage.service.check_eligibility(&other, &mut stage.context).unwrap_err();
    assert!(refused.to_string().contains("id-used"), "{refused}");
}

impl Stage {
    /// Goes as far as the decision, which is not green; the rules that decided.
    fn approve_only(&mut self, request: &EligibilityRequest) -> Vec<String> {
        let terms = self.service.check_eligibility(request, &mut self.context).unwrap().terms;
        let id = &request.provisioning;
        let decision = self.service.accept_terms(id, &terms, &holder(PHONE), &mut self.context).unwrap();
        assert_ne!(decision.colour, Colour::Green);
        decision.reasons
    }
}
