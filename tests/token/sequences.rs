//! Any sequence of steps, verbs and taps, with breaks: one physical card has at most
//! one active token on a device, every active token has a bound identity, nothing is
//! half active, and no money comes or goes.

use super::kit::{OTHER_PHONE, OTHER_REQUESTOR, PHONE, Phone, Stage, holder, phone_of, requestor_id, rules};
use super::taps::reversal;
use cardwright::air::host::{
    EligibilityRequest, Host, KeyKind, Party, Request, TokenError, TokenService, TokenState, TokenVerb,
};
use cardwright::words::emv::Pan;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    /// A card on its way into a device, broken off after some steps or finished.
    Add { requestor: bool, device: u8, limited: bool, other_phone: bool, steps: u8 },
    /// An earlier provisioning goes on, or is rolled back.
    GoOn { index: usize, abandons: bool },
    /// A phone pays, perhaps twice the same message, perhaps reversed.
    Tap { index: usize, amount_minor: u64, repeats: bool, reverses: bool },
    /// A verb of a token's life.
    Verb { index: usize, verb: u8, issuer: bool },
    /// A device is lost.
    Lose { device: u8 },
    /// The physical card is replaced.
    Replace,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (any::<bool>(), 0u8..2, any::<bool>(), any::<bool>(), 1u8..7).prop_map(
            |(requestor, device, limited, other_phone, steps)| {
                Step::Add { requestor, device, limited, other_phone, steps }
            }
        ),
        2 => (0usize..20, any::<bool>()).prop_map(|(index, abandons)| Step::GoOn { index, abandons }),
        6 => (0usize..20, 1u64..20_000, any::<bool>(), any::<bool>()).prop_map(
            |(index, amount_minor, repeats, reverses)| Step::Tap { index, amount_minor, repeats, reverses }
        ),
        4 => (0usize..20, 0u8..3, any::<bool>()).prop_map(|(index, verb, issuer)| Step::Verb { index, verb, issuer }),
        1 => (0u8..2).prop_map(|device| Step::Lose { device }),
        1 => Just(Step::Replace),
    ]
}

/// The stage, its unfinished business, and the phones that have a card.
struct Play {
    stage: Stage,
    requests: Vec<(EligibilityRequest, &'static str)>,
    phones: Vec<Phone>,
    replacements: u32,
}

impl Play {
    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Add { requestor, device, limited, other_phone, steps } => {
                let keys = if limited { KeyKind::LimitedUse } else { KeyKind::SecureElement };
                let mut request = self.stage.request(device_name(device), keys);
                if requestor {
                    request.provisioning.requestor = requestor_id(OTHER_REQUESTOR);
                }
                let phone = if other_phone { OTHER_PHONE } else { PHONE };
                self.stage.change_phone(phone);
                self.go(&request, phone, steps).map_err(|error| TestCaseError::fail(error.to_string()))?;
                self.requests.push((request, phone));
            }
            Step::GoOn { index, abandons } => {
                let Some((request, phone)) = self.requests.get(index).cloned() else { return Ok(()) };
                if abandons {
                    // An active one says so.
                    let _ = self.stage.service.abandon(&request.provisioning, &mut self.stage.context);
                } else {
                    // What was rolled back or refused does not go on.
                    let _ = self.go(&request, phone, 6);
                }
            }
            Step::Tap { index, amount_minor, repeats, reverses } => {
                let Some(mut phone) = (index < self.phones.len()).then(|| self.phones.swap_remove(index))
                else {
                    return Ok(());
                };
                let request = self.stage.tap_request(&mut phone, amount_minor);
                let result = self.tap(&phone, &request, repeats, reverses);
                self.phones.push(phone);
                result?;
            }
            Step::Verb { index, verb, issuer } => {
                let Some(phone) = self.phones.get(index) else { return Ok(()) };
                let verb = [TokenVerb::Suspend, TokenVerb::Resume, TokenVerb::Remove][usize::from(verb)];
                let by = match issuer {
                    true => Party::Issuer,
                    false => Party::Wallet(self.stage.view(phone).requestor),
                };
                let _ = self.stage.service.change(&phone.token, verb, &by, &mut self.stage.context);
            }
            Step::Lose { device } => {
                let requestor = requestor_id(super::kit::REQUESTOR);
                let lost = self.stage.service.lost_device(
                    &requestor,
                    device_name(device),
                    &Party::Issuer,
                    &mut self.stage.context,
                );
                prop_assert!(
                    lost.is_ok_and(|views| views.iter().all(|view| view.state != TokenState::Active))
                );
            }
            Step::Replace => self.replace(),
        }
        Ok(())
    }

    /// Goes through the steps from the first on, up to one of them.
    fn go(&mut self, request: &EligibilityRequest, phone: &str, steps: u8) -> Result<(), TokenError> {
        let (id, stage) = (&request.provisioning, &mut self.stage);
        stage.service.check_eligibility(request, &mut stage.context)?;
        if steps > 1 {
            stage.service.accept_terms(id, "cardwright-terms-1", &holder(phone), &mut stage.context)?;
        }
        if steps > 2 && stage.service.send_code(id, &mut stage.context).is_ok() {
            let code = stage.code();
            stage.service.confirm_code(id, &code, &mut stage.context)?;
        }
        if steps > 3 {
            let Ok(made) = stage.service.make_token(id, &mut stage.context) else { return Ok(()) };
            if !self.phones.iter().any(|known| known.token == made.token.reference) {
                self.phones.push(phone_of(&made));
            }
        }
        if steps > 4 {
            stage.service.personalised(id, &mut stage.context)?;
        }
        if steps > 5 {
            stage.service.activate(id, &mut stage.context)?;
        }
        Ok(())
    }

    fn tap(
        &mut self,
        phone: &Phone,
        request: &Request,
        repeats: bool,
        reverses: bool,
    ) -> Result<(), TestCaseError> {
        let state = self.stage.view(phone).state;
        let stage = &mut self.stage;
        let answer = stage.host.authorise(request, &mut stage.context).unwrap();
        prop_assert!(state == TokenState::Active || !answer.code.is_approved(), "{state:?} paid");
        if repeats {
            let again = stage.host.authorise(request, &mut stage.context).unwrap();
            prop_assert_eq!((again.code, &again.reason), (answer.code, &answer.reason));
        }
        if reverses {
            stage.host.reverse(&reversal(request), &mut stage.context).unwrap();
        }
        Ok(())
    }

    fn replace(&mut self) {
        self.replacements += 1;
        let pan = Pan::with_check_digit(&format!("62999900007{:04}", self.replacements)).unwrap();
        let psn = u8::from(self.replacements > 1);
        let order = cardwright::roles::issuer::CardOrder {
            pan: pan.clone(),
            psn: 1,
            ..self.stage.world.order.clone()
        };
        let old = std::mem::replace(&mut self.stage.world.card.pan, pan);
        self.stage.world.issuer.replace_card(&old, psn, &order, &mut self.stage.context).unwrap();
        // A card that never was in a device has nothing to move.
        let _ = self.stage.service.card_changed(&old, &Party::Issuer, &mut self.stage.context);
        // An unfinished way of the old card into a device goes no further: it is another card now.
        self.requests.clear();
    }
}

fn device_name(device: u8) -> &'static str {
    ["phone", "watch"][usize::from(device)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
    ))]

    #[test]
    fn any_sequence_keeps_the_invariants(
        steps in prop::collection::vec(any_step(), 1..24),
        wants_codes in any::<bool>(),
    ) {
        let decision = match wants_codes {
            true => "[[rule]]\nname = \"p\"\nwhen = \"other_phone\"\ncolour = \"yellow\"\nreason = \"\"",
            false => "",
        };
        let mut play = Play { stage: Stage::ruled(rules(decision)), requests: Vec::new(), phones: Vec::new(), replacements: 0 };
        for step in steps {
            let text = format!("{step:?}");
            play.take(step)?;
            let broken = play.stage.service.vault().check(&mut play.stage.context).unwrap();
            prop_assert!(broken.is_empty(), "{text}: {broken:?}");
        }
        play.stage.world.assert_sound();
    }
}
