//! What lies in the vault: sealed, found again, and sealed anew under another key.

use super::kit::{PHONE, Stage, bureau, rules, token_keys};
use cardwright::air::host::{FundingHost, Host, KeyKind};
use cardwright::base::store::{SealKey, transact};
use cardwright::roles::token::{Rotation, SealKeys, TokenHost, Tokens, Vault};

const TABLES: [&str; 9] = [
    "token_vault",
    "token_funding",
    "token_card",
    "token_binding",
    "token",
    "token_provisioning",
    "token_key",
    "token_tap",
    "token_history",
];

#[test]
fn numbers_and_people_lie_sealed() {
    let mut stage = Stage::new();
    let mut phone = stage.add("phone", KeyKind::LimitedUse);
    assert!(stage.tap(&mut phone, 100).code.is_approved());
    let code = stage.code();
    let secrets = [
        stage.world.card.pan.expose().to_owned(),
        phone.card.pan.expose().to_owned(),
        PHONE.into(),
        "Zhang San".into(),
        "11010519491231002X".into(),
        stage.view(&phone).par,
    ];
    let mut tables: Vec<&str> = TABLES.to_vec();
    tables.extend(["holder", "one_time_code", "wallet_binding", "card", "message"]);
    for table in tables {
        let mut dump = stage.world.dump(table);
        for secret in &secrets {
            for planted in [secret.as_bytes().to_vec(), bcd(secret)] {
                let found = planted.len() > 4 && dump.windows(planted.len()).any(|part| part == planted);
                assert!(!found, "{table} holds {secret}");
            }
        }
        if table == "one_time_code" {
            assert!(!dump.windows(6).any(|part| part == code.expose().as_bytes()));
        }
        dump.clear();
    }
    for event in stage.events.events() {
        for secret in &secrets {
            assert!(!format!("{event:?}").contains(secret.as_str()), "{event:?}");
        }
    }
}

fn bcd(digits: &str) -> Vec<u8> {
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => cardwright::base::bytes::digits_to_bcd(digits, digits.len().div_ceil(2)).unwrap(),
        false => Vec::new(),
    }
}

#[test]
fn tokens_are_of_the_token_range_and_differ() {
    let mut stage = Stage::ruled(rules(""));
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..12 {
        let phone = stage.add(&format!("phone {number}"), KeyKind::SecureElement);
        assert!(phone.card.pan.is_token() && phone.card.pan.is_test());
        cardwright::words::emv::Pan::checked(phone.card.pan.expose()).unwrap();
        assert_eq!(phone.card.pan.expose().len(), stage.world.card.pan.expose().len());
        assert!(seen.insert(phone.card.pan.expose().to_owned()));
    }
    let order = cardwright::roles::issuer::CardOrder {
        pan: cardwright::words::emv::Pan::new(seen.first().unwrap()).unwrap(),
        ..stage.world.order.clone()
    };
    assert!(stage.world.issuer.order_card(&order, &mut stage.context).is_err(), "no card in the token range");
    stage.assert_sound();
}

/// A change of the key that is broken off goes on where it stopped, and the service
/// works all the while: what was sealed anew and what was not yet are found alike.
#[test]
fn the_vaults_keys_change_in_batches_and_resume() {
    let mut stage = Stage::ruled(rules(""));
    let mut phones: Vec<_> =
        (0..5).map(|number| stage.add(&format!("phone {number}"), KeyKind::SecureElement)).collect();
    let (old, new) = (SealKey::from_bytes([1; 32]), SealKey::from_bytes([2; 32]));
    let own = super::kit::own_seal();
    let store = stage.world.db.handle().unwrap();
    let mut seed = 30;
    let mut open = |current: &SealKey, previous: Option<&SealKey>| {
        let keys = SealKeys { current: current.clone(), previous: previous.cloned() };
        // Another one for each: keys are drawn from it.
        seed += 1;
        Vault::open(store.handle().unwrap(), keys, token_keys(), rules(""), &mut super::kit::quiet(seed))
    };
    let mut context = super::kit::quiet(4);
    // Under the stage's own key first, so that both keys below are known here.
    let mut vault = open(&old, Some(&own)).unwrap();
    while vault.rotate(100, &mut context).unwrap().left > 0 {}
    let found_by = |stage: &mut Stage| {
        let sql = "SELECT pan_lookup FROM token UNION SELECT pan_lookup FROM token_card \
                   UNION SELECT identity_lookup FROM token_binding UNION SELECT phone_lookup FROM token_binding";
        let rows = transact(stage.world.db.as_mut(), |tx| tx.query(sql, &[])).unwrap();
        rows.iter().map(|row| row.bytes(0).unwrap().to_vec()).collect::<std::collections::BTreeSet<_>>()
    };
    let before = found_by(&mut stage);
    // The stage's own service was opened under a key that is no more.
    let request = stage.tap_request(&mut phones[0], 100);
    let refused = stage.host.authorise(&request, &mut stage.context).unwrap_err().to_string();
    assert!(refused.contains("its key was changed"), "{refused}");
    let mut vault = open(&new, Some(&old)).unwrap();
    let first = vault.rotate(2, &mut context).unwrap();
    assert!(first.done > 0 && first.left > 0, "{first:?}");
    drop(vault);
    // Half of it lies under each key: with both, everything works.
    let issuer: Box<dyn FundingHost> = Box::new(stage.world.issuer.handle().unwrap());
    let host = TokenHost::new(open(&new, Some(&old)).unwrap(), issuer);
    let half = open(&new, Some(&old)).unwrap();
    let mut vault = open(&new, Some(&old)).unwrap();
    stage.host = host;
    for phone in &mut phones {
        assert!(stage.tap(phone, 100).code.is_approved());
    }
    let identity = Box::new(stage.world.issuer.handle().unwrap());
    stage.service = Tokens::new(half, identity, Box::new(bureau()));
    // The card is known in whichever half it lies, and so it is bound to its holder still.
    phones.push(stage.add("another phone", KeyKind::SecureElement));
    assert_eq!(
        stage.tokens().iter().map(|token| &token.par).collect::<std::collections::BTreeSet<_>>().len(),
        1
    );
    while vault.rotate(2, &mut context).unwrap().left > 0 {}
    let after = found_by(&mut stage);
    assert!(before.is_disjoint(&after), "what was found by the older key");
    assert_eq!(vault.rotate(2, &mut context).unwrap(), Rotation { done: 0, left: 0 });
    assert!(open(&old, None).is_err(), "the old key opens nothing");
    let only_new = open(&new, None).unwrap();
    let identity = Box::new(stage.world.issuer.handle().unwrap());
    stage.service = Tokens::new(only_new.handle().unwrap(), identity, Box::new(bureau()));
    stage.host = TokenHost::new(only_new, Box::new(stage.world.issuer.handle().unwrap()));
    for phone in &mut phones {
        assert!(stage.tap(phone, 100).code.is_approved());
    }
    assert_eq!(stage.tokens().len(), 6);
    stage.assert_sound();
}
