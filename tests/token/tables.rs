//! The three tables, walked whole: as tables, and as the vault keeps them.

use super::kit::{Stage, wallet};
use cardwright::air::host::{
    KeyKind, Party, ProvisioningState, TokenError, TokenService, TokenState, TokenVerb,
};
use cardwright::roles::token::{
    BINDING_STATES, BINDING_TABLE, BindingEvent, BindingState, PROVISIONING_STATES, PROVISIONING_TABLE,
    ProvisioningEvent, Step, TOKEN_STATES, TOKEN_TABLE, TokenEvent, step,
};
use std::fmt::Debug;

/// Every event has one row; what an event leads to, it leaves as it is when it comes again.
fn is_whole<E: Copy + PartialEq + Debug, S: Copy + PartialEq + Debug, const N: usize>(
    table: &[(E, [Step<S>; N])],
    states: &[S; N],
    events: usize,
    ends: &[S],
) {
    assert_eq!(table.len(), events);
    for (index, (event, _)) in table.iter().enumerate() {
        assert!(table[..index].iter().all(|row| row.0 != *event), "{event:?} twice");
        for state in states {
            let first = step(table, states, *event, *state);
            if let Step::To(next) = first {
                assert!(!ends.contains(state), "{event:?} leaves {state:?}, which is an end");
                let again = step(table, states, *event, next);
                assert!(!matches!(again, Step::To(_)), "{event:?} twice from {state:?}: {again:?}");
            }
        }
    }
    for state in states {
        let reached = table.iter().any(|(_, steps)| steps.contains(&Step::To(*state)));
        assert!(reached || *state == states[0], "nothing leads to {state:?}");
    }
}

#[test]
fn every_event_in_every_state() {
    is_whole(TOKEN_TABLE, &TOKEN_STATES, 11, &[TokenState::Terminated]);
    is_whole(BINDING_TABLE, &BINDING_STATES, 6, &[BindingState::Released, BindingState::Failed]);
    let ends = [ProvisioningState::Activated, ProvisioningState::Refused, ProvisioningState::Abandoned];
    is_whole(PROVISIONING_TABLE, &PROVISIONING_STATES, 11, &ends);
}

#[test]
fn only_what_may_lead_there_leads_to_a_token_that_pays() {
    let from = |event| {
        let leads = |state: &&TokenState| {
            step(TOKEN_TABLE, &TOKEN_STATES, event, **state) == Step::To(TokenState::Active)
        };
        TOKEN_STATES.iter().filter(leads).copied().collect::<Vec<_>>()
    };
    for (event, _) in TOKEN_TABLE {
        let expected = match event {
            TokenEvent::Activate => vec![TokenState::Requested],
            TokenEvent::Resume => vec![TokenState::Suspended],
            TokenEvent::Release => vec![TokenState::Held],
            _ => vec![],
        };
        assert_eq!(from(*event), expected, "{event:?}");
    }
}

#[test]
fn a_binding_takes_effect_only_by_code_or_payment() {
    for (event, steps) in BINDING_TABLE {
        for (state, step) in BINDING_STATES.iter().zip(steps) {
            if *step == Step::To(BindingState::Bound) {
                let allowed = [
                    (BindingEvent::Identify, BindingState::OnTrial),
                    (BindingEvent::Activate, BindingState::Confirmed),
                    (BindingEvent::Pay, BindingState::OnTrial),
                ];
                assert!(allowed.contains(&(*event, *state)), "{event:?} in {state:?}");
            }
        }
    }
    for state in [BindingState::Bound, BindingState::OnTrial] {
        assert_eq!(step(BINDING_TABLE, &BINDING_STATES, BindingEvent::Fail, state), Step::Stays);
    }
}

#[test]
fn a_token_is_activated_only_when_its_device_has_it() {
    let activates = |state: &&ProvisioningState| {
        let event = ProvisioningEvent::Activate;
        step(PROVISIONING_TABLE, &PROVISIONING_STATES, event, **state)
            == Step::To(ProvisioningState::Activated)
    };
    let from: Vec<_> = PROVISIONING_STATES.iter().filter(activates).collect();
    assert_eq!(from, [&ProvisioningState::Personalised]);
}

/// Brings a token into a state by the service's own verbs.
fn bring(stage: &mut Stage, state: TokenState) -> cardwright::air::host::TokenReference {
    if state == TokenState::Requested {
        let request = stage.request("phone", KeyKind::SecureElement);
        stage.approve(&request, super::kit::PHONE);
        return stage.service.make_token(&request.provisioning, &mut stage.context).unwrap().token.reference;
    }
    let token = stage.add("phone", KeyKind::SecureElement).token;
    let verbs: &[(TokenVerb, Party)] = match state {
        TokenState::Suspended => &[(TokenVerb::Suspend, wallet())],
        TokenState::Held => &[(TokenVerb::Suspend, Party::Issuer)],
        TokenState::Terminated => &[(TokenVerb::Remove, wallet())],
        TokenState::Requested | TokenState::Active => &[],
    };
    for (verb, by) in verbs {
        stage.service.change(&token, *verb, by, &mut stage.context).unwrap();
    }
    token
}

#[test]
fn the_vault_keeps_the_table_whoever_says_the_verb() {
    let verbs = [
        (TokenVerb::Suspend, wallet(), TokenEvent::Suspend),
        (TokenVerb::Suspend, Party::Issuer, TokenEvent::Hold),
        (TokenVerb::Resume, wallet(), TokenEvent::Resume),
        (TokenVerb::Resume, Party::Issuer, TokenEvent::Release),
        (TokenVerb::Remove, wallet(), TokenEvent::Remove),
        (TokenVerb::Remove, Party::Issuer, TokenEvent::Remove),
    ];
    for state in TOKEN_STATES {
        for (verb, by, event) in &verbs {
            let mut stage = Stage::trusting();
            let token = bring(&mut stage, state);
            // Twice: a verb acts once.
            for _ in 0..2 {
                let before = stage.tokens()[0].state;
                let told = stage.service.change(&token, *verb, by, &mut stage.context).map(|view| view.state);
                let expected = match step(TOKEN_TABLE, &TOKEN_STATES, *event, before) {
                    Step::To(next) => Ok(next),
                    Step::Stays => Ok(before),
                    Step::No(reason) => Err(TokenError::State { step: "change the token", reason }),
                };
                assert_eq!(told, expected, "{verb:?} by {by:?} in {before:?}");
            }
            let rows = stage.service.vault().history(&token.0, &mut stage.context).unwrap();
            assert!(rows.iter().filter(|row| row.what == format!("{event:?}")).count() <= 1);
            if state != TokenState::Requested {
                stage.assert_sound();
            }
        }
    }
}
