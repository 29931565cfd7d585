//! A small e-cash account in a phone: opened on an account, closed with its rest going
//! back. Each step is kept before the next; a break leaves a row that says where to go on.

use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::devices::wallet::{CardKind, CardState, Wallet, WalletCard};
use crate::roles::bureau::Authority;
use crate::roles::issuer::{AccountId, Issuer, IssuerError, OpenLoad};
use crate::roles::terminal::{Cardholder, Depth, Flow, Outcome, Recovered, Verdict};
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};
use crate::world::error::WorldError;
use crate::world::issue::{NewCard, fresh_pan, issue_order, new_card_memory, order_of};
use crate::world::position::card_balance;
use crate::world::stage::Stage;
use crate::world::{CardName, load_profile};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// The profile of the account's card.
const PROFILE: &str = "ecash";

/// An account that is to be opened.
#[derive(Debug, Clone)]
pub struct NewEcash {
    /// The card's name in the phone; else the first free one.
    pub name: Option<String>,
    /// The account behind it.
    pub account: AccountId,
    /// Its PIN, which a load asks for.
    pub pin: Secret<String>,
}

/// What the phone keeps of the account, sealed. The PIN goes once the card has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    pan: String,
    account: String,
    pin: Option<String>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.pan.zeroize();
        self.pin.zeroize();
    }
}

/// How far the closing of an account has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// What was settled first.
    pub recovered: Recovered,
    /// The unloads, one for each currency that the card held.
    pub unloads: Vec<Outcome>,
    /// What it still waits for; `None` where the card is gone.
    pub waits_for: Option<String>,
}

/// Opens an account. One that was begun for the same account and broke off is finished
/// instead of beginning a second; one that has its name already and is open, is the one.
pub fn open_ecash(
    wallet: &mut Wallet,
    issuer: &mut Issuer,
    new: &NewEcash,
    context: &mut Context,
) -> Result<String, WorldError> {
    let name = match begun(wallet, new)? {
        Some(card) if card.state == CardState::Active => return Ok(card.name),
        Some(card) => card.name,
        None => {
            let open = issuer.accounts(context)?;
            if !open.iter().any(|account| account.id == new.account) {
                return Err(IssuerError::NoSuchAccount { id: new.account.0.clone() }.into());
            }
            let pan = fresh_pan(context)?;
            let kept = Kept {
                pan: pan.expose().to_owned(),
                account: new.account.0.clone(),
                pin: Some(new.pin.expose().clone()),
            };
            wallet.begin(CardKind::Ecash, new.name.as_deref(), pan.last_four(), &kept, context)?
        }
    };
    finish_opening(wallet, issuer, &name, context)?;
    Ok(name)
}

/// Issuer, then the card's file, then the phone: each repeats without harm.
fn finish_opening(
    wallet: &mut Wallet,
    issuer: &mut Issuer,
    name: &str,
    context: &mut Context,
) -> Result<(), WorldError> {
    let mut kept: Kept = wallet.card(Some(name))?.detail()?;
    let profile = load_profile(&CardName::Profile(PROFILE.into()))?;
    let accounts = profile.currencies().into_iter().take(1).map(|of| (of, AccountId(kept.account.clone())));
    let pin = Secret::new(kept.pin.clone().unwrap_or_default());
    let card = NewCard { accounts: accounts.collect(), profile, pin, balance_minor: 0 };
    let order = order_of(&card, Pan::new(&kept.pan)?);
    if !wallet.has_file(name) {
        let memory = match issue_order(&*Authority::test()?, issuer, &card, &order, context) {
            // Ordered before a break: its PAN is in this phone's row and nowhere else.
            Err(WorldError::Issuer(IssuerError::CardExists { .. })) => {
                new_card_memory(&card.profile, &order)?
            }
            issued => issued?,
        };
        wallet.make_file(name, &memory, context)?;
    }
    kept.pin.zeroize();
    kept.pin = None;
    Ok(wallet.activate(name, &kept, context)?)
}

/// The card of an opening that broke off, or of one by this name that did not.
fn begun(wallet: &mut Wallet, new: &NewEcash) -> Result<Option<WalletCard>, WorldError> {
    for card in wallet.cards()? {
        let fits = match (&new.name, card.state) {
            (Some(name), CardState::Making | CardState::Active) => *name == card.name,
            (None, CardState::Making) => true,
            _ => false,
        };
        if fits && card.kind == CardKind::Ecash && card.detail::<Kept>()?.account == new.account.0 {
            return Ok(Some(card));
        }
    }
    Ok(None)
}

/// Begins to close an account: from now on it answers only to the phone's own software.
/// An opening that broke off is finished first, so that there is a card to close. Without
/// a name it is the one that is being closed already, else the default card.
pub fn begin_closing(
    wallet: &mut Wallet,
    issuer: Option<&mut Issuer>,
    name: Option<&str>,
    context: &mut Context,
) -> Result<WalletCard, WorldError> {
    let card = match (name, being_closed(wallet)?) {
        (None, Some(card)) => card,
        (name, _) => wallet.card(name)?,
    };
    card.must_be(CardKind::Ecash)?;
    if card.state == CardState::Making {
        let issuer = issuer.ok_or(WorldError::NoIssuer)?;
        finish_opening(wallet, issuer, &card.name, context)?;
    }
    if card.state != CardState::Closing {
        wallet.advance(&card.name, CardState::Closing, context)?;
    }
    Ok(wallet.card(Some(&card.name))?)
}

/// The only account that is being closed: who names none means that one.
fn being_closed(wallet: &mut Wallet) -> Result<Option<WalletCard>, WorldError> {
    let mut closing = wallet.cards()?.into_iter().filter(|card| card.state == CardState::Closing);
    Ok(closing.next().filter(|_| closing.next().is_none()))
}

/// Closes an account: what is open is settled, what the card holds is unloaded, and then
/// the card goes. `stage` has the card in its reader. Called again after a break, it goes
/// on.
pub fn close_ecash(
    wallet: &mut Wallet,
    name: &str,
    stage: &mut Stage<Option<Issuer>>,
    cardholder: &mut dyn Cardholder,
    context: &mut Context,
) -> Result<Closed, WorldError> {
    let kept: Kept = wallet.card(Some(name))?.detail()?;
    let pan = Pan::new(&kept.pan)?;
    let mut closed = Closed { recovered: Recovered::default(), unloads: Vec::new(), waits_for: None };
    closed.recovered = stage.recover(context)?;
    let facts = stage.read(Depth::Quick, context)?;
    let mut currencies: Vec<Currency> =
        facts.applications.iter().flat_map(|a| &a.ecash).map(|set| set.currency).collect();
    currencies.dedup();
    for currency in currencies {
        let held = card_balance(&facts, currency);
        if held == 0 {
            continue;
        }
        let all = Amount::new(held, currency);
        let (_, outcome) = stage.transact(Flow::Unload, all, cardholder, context)?;
        let verdict = outcome.verdict;
        if verdict != Verdict::Unloaded {
            let what = if verdict.is_unconfirmed() { "the unload is not confirmed" } else { "not unloaded" };
            closed.waits_for = Some(format!("{what}: {}", outcome.reason));
        }
        closed.unloads.push(outcome);
    }
    if closed.waits_for.is_none() {
        closed.waits_for = unsettled(&pan, stage, cardholder, context)?;
    }
    if closed.waits_for.is_none() {
        if let Some(issuer) = &mut stage.issuer {
            // Its offline sales that merchants still upload are taken nevertheless.
            issuer.set_card_active(&pan, 1, false, context)?;
        }
        wallet.remove(name, context)?;
    }
    Ok(closed)
}

/// What is still open on the card, in this terminal's journal or in the books. Where the
/// books have a load open that another terminal made, the card's next cryptogram tells
/// the issuer what became of it.
fn unsettled(
    pan: &Pan,
    stage: &mut Stage<Option<Issuer>>,
    cardholder: &mut dyn Cardholder,
    context: &mut Context,
) -> Result<Option<String>, WorldError> {
    if let Some(row) = stage.journal.open_rows()?.into_iter().find(|row| row.card.pan == *pan) {
        return Ok(Some(format!("{} of {}, {}", row.kind.word(), row.amount, row.state)));
    }
    let Some(load) = open_load(pan, stage, context)? else { return Ok(None) };
    stage.transact(Flow::Inquire, Amount::new(0, load.amount.currency), cardholder, context)?;
    Ok(open_load(pan, stage, context)?.map(|load| {
        let (_, terminal, batch, trace) = &load.request;
        format!("a load of {} at terminal {terminal}, {batch:06}/{trace:06}, is not settled", load.amount)
    }))
}

fn open_load(
    pan: &Pan,
    stage: &mut Stage<Option<Issuer>>,
    context: &mut Context,
) -> Result<Option<OpenLoad>, WorldError> {
    let Some(issuer) = &mut stage.issuer else { return Ok(None) };
    Ok(issuer.open_loads(context)?.into_iter().find(|load| load.pan == *pan))
}
