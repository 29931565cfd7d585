//! The life of the phone's tokens: each verb is the token service's; the phone does after
//! it what the service says, so that a verb that broke off is simply given again.

use super::provisioning::{id_of, roll_back};
use super::token::{Kept, KeptKey, Wire};
use super::{CardKind, CardState, TokenCard, Wallet, WalletError};
use crate::air::host::{Party, ProvisioningState, TokenService, TokenState, TokenVerb, TokenView};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;

/// Takes every token of the phone to where the service has it: what was terminated goes,
/// what was suspended answers no more, and what the service rolled back is rolled back.
pub fn follow(
    wallet: &mut Wallet,
    service: &mut dyn TokenService,
    context: &mut Context,
) -> Result<(), WalletError> {
    let views = service.tokens(&Party::Wallet(Wallet::requestor()), context)?;
    let device = wallet.phone()?.device;
    for card in wallet.cards()?.into_iter().filter(|card| card.kind == CardKind::Token) {
        let mut kept = Kept::of(&card)?;
        if card.state == CardState::Making {
            // A newer attempt of the same card on this phone has ended it.
            let progress = service.progress(&id_of(&kept), context);
            if matches!(progress, Ok(ProvisioningState::Refused | ProvisioningState::Abandoned)) {
                wallet.remove(&card.name, context)?;
            }
            continue;
        }
        let view = views.iter().find(|view| {
            view.device == device && kept.reference.as_deref() == Some(view.reference.0.as_str())
        });
        let to = match view.map(|view| view.state) {
            None | Some(TokenState::Terminated) => {
                wallet.remove(&card.name, context)?;
                continue;
            }
            Some(TokenState::Active) => CardState::Active,
            Some(TokenState::Requested | TokenState::Suspended | TokenState::Held) => CardState::Suspended,
        };
        wallet.advance(&card.name, to, context)?;
        if let Some(view) = view
            && (kept.funding_last_four != view.last_four || kept.expiry != view.expiry)
        {
            kept.take(view);
            wallet.keep(&card.name, None, &kept, context)?;
        }
    }
    Ok(())
}

/// Suspends, resumes or removes a token. One that is not active yet is rolled back by its
/// removal.
pub fn change(
    wallet: &mut Wallet,
    service: &mut dyn TokenService,
    name: Option<&str>,
    verb: TokenVerb,
    by: &Party,
    context: &mut Context,
) -> Result<Option<TokenView>, WalletError> {
    let card = wallet.card(name)?;
    let kept = Kept::of(&card)?;
    if card.state == CardState::Making {
        if verb != TokenVerb::Remove {
            return Err(WalletError::NotYet { name: card.name });
        }
        roll_back(wallet, service, &card.name, context)?;
        return Ok(None);
    }
    let view = service.change(&kept.reference(&card.name)?, verb, by, context)?;
    follow(wallet, service, context)?;
    Ok(Some(view))
}

/// Holds every token of this phone: it is lost.
pub fn lost_device(
    wallet: &mut Wallet,
    service: &mut dyn TokenService,
    by: &Party,
    context: &mut Context,
) -> Result<Vec<TokenView>, WalletError> {
    let device = wallet.phone()?.device;
    wallet.lock(context)?;
    let views = service.lost_device(&Wallet::requestor(), &device, by, context)?;
    follow(wallet, service, context)?;
    Ok(views)
}

/// Renews a token: a later expiry, and new data in the secure element.
pub fn renew(
    wallet: &mut Wallet,
    service: &mut dyn TokenService,
    name: Option<&str>,
    by: &Party,
    wire: &mut dyn Wire,
    context: &mut Context,
) -> Result<TokenCard, WalletError> {
    let card = wallet.card(name)?;
    let mut kept = Kept::of(&card)?;
    let renewed = service.renew(&kept.reference(&card.name)?, by, context)?;
    wallet.install(&card.name, &kept, &renewed.card, wire, context)?;
    kept.take(&renewed.token);
    if let Some(key) = &renewed.limited_use_key {
        let atc = wallet.bare(&card.name)?.memory().atc();
        let spent = kept.key.as_ref().filter(|old| old.sequence == key.sequence).cloned();
        kept.key = spent.or_else(|| Some(KeptKey::new(key, atc, context.now())));
    }
    wallet.keep(&card.name, None, &kept, context)?;
    wallet.token(Some(&card.name))
}

/// Has the service ask the issuer what has become of a physical card, and follows: tokens
/// of a replaced one stay and move, those of a cancelled one go. A card that still shows
/// the old one's last digits (9F25) gets new data.
pub fn card_changed(
    wallet: &mut Wallet,
    service: &mut dyn TokenService,
    pan: &Pan,
    by: &Party,
    wire: &mut dyn Wire,
    context: &mut Context,
) -> Result<Vec<TokenView>, WalletError> {
    let views = service.card_changed(pan, by, context)?;
    follow(wallet, service, context)?;
    for card in wallet.cards()? {
        if card.kind != CardKind::Token || card.state != CardState::Active {
            continue;
        }
        let digits = Kept::of(&card)?.funding_last_four.clone();
        let simulator = wallet.bare(&card.name)?;
        let shown = simulator.memory().value(tag::LAST_4_DIGITS_OF_PAN).map(|shown| Hex(shown).to_string());
        drop(simulator);
        if shown != Some(digits) {
            renew(wallet, service, Some(&card.name), by, wire, context)?;
        }
    }
    Ok(views)
}

/// Why another limited-use key is due before a payment of `next_minor`; `None` where none
/// is, or the token has no such keys.
pub fn key_is_due(
    wallet: &mut Wallet,
    name: Option<&str>,
    next_minor: u64,
    context: &mut Context,
) -> Result<Option<&'static str>, WalletError> {
    let card = wallet.card(name)?;
    let Some(key) = Kept::of(&card)?.key.clone() else { return Ok(None) };
    let atc = wallet.bare(&card.name)?.memory().atc();
    Ok(key.is_due(atc, next_minor, context.now()))
}

/// Before a payment of `next_minor`: fetches another limited-use key where one is due, or
/// where `force` says so. Tells why it did.
pub fn replenish(
    wallet: &mut Wallet,
    service: &mut dyn TokenService,
    name: Option<&str>,
    next_minor: u64,
    force: bool,
    wire: &mut dyn Wire,
    context: &mut Context,
) -> Result<Option<&'static str>, WalletError> {
    let card = wallet.card(name)?;
    let mut kept = Kept::of(&card)?;
    let Some(key) = kept.key.clone() else { return Ok(None) };
    let due = key_is_due(wallet, name, next_minor, context)?;
    let Some(reason) = due.or(force.then_some("told by the holder")) else { return Ok(None) };
    let by = Party::Wallet(Wallet::requestor());
    // Asked again after a break, the service gives the same key.
    let next = service.replenish(&kept.reference(&card.name)?, key.sequence, &by, context)?;
    let atc = wallet.install_key(&card.name, &kept, &next, wire, context)?;
    kept.key = Some(KeptKey::new(&next, atc, context.now()));
    wallet.keep(&card.name, None, &kept, context)?;
    context.emit(Event::new("wallet", "limited-use key").because(reason));
    Ok(Some(reason))
}

/// Notes that a payment of this amount is about to be signed with a limited-use key.
pub fn note_payment(
    wallet: &mut Wallet,
    name: Option<&str>,
    amount_minor: u64,
    context: &mut Context,
) -> Result<(), WalletError> {
    let card = wallet.card(name)?;
    let mut kept = Kept::of(&card)?;
    let Some(key) = &mut kept.key else { return Ok(()) };
    key.spent_minor = key.spent_minor.saturating_add(amount_minor);
    wallet.keep(&card.name, None, &kept, context)
}
