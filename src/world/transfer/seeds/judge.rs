//! What must hold at the end of a world, whatever went wrong in it.

use super::plan::{PEOPLE, Plan, StepKind};
use super::play::{CNY, Played, World, name};
use crate::roles::issuer::PhoneTransfer;
use crate::roles::p2p::transfer::{TransferState, Way};
use crate::world::error::WorldError;
use std::collections::BTreeMap;

/// How a refusal begins that the host is right to give, even for what was shown as done: the
/// payer has not got the money.
const NO_MONEY: &str = "account ";

/// What was true at the beginning.
pub(super) struct Judge {
    total_minor: i64,
}

impl Judge {
    /// Looks at a world that begins.
    pub fn new(world: &mut World) -> Result<Self, WorldError> {
        Ok(Self { total_minor: world.issuer.books(&mut world.context)?.of(CNY).total_minor() })
    }

    /// What is wrong at the end; and what the end is, for the digest.
    pub fn at_the_end(
        &self,
        world: &mut World,
        plan: &Plan,
        played: &mut Played,
    ) -> Result<Option<String>, WorldError> {
        let books = world.issuer.books(&mut world.context)?.of(CNY);
        let rows = world.issuer.phone_transfers(&mut world.context)?;
        played.booked = rows.iter().filter(|row| row.is_booked).count() as u64;
        played.refused = rows.len() as u64 - played.booked;
        world.note(format_args!("{books:?} {rows:?}"), played);
        if books.total_minor() != self.total_minor {
            let (expected, found) = (self.total_minor, books.total_minor());
            return Ok(Some(format!("the sum was {expected} minor units and is {found}")));
        }
        if let Some(violation) = world.issuer.check(&mut world.context)?.first() {
            return Ok(Some(violation.to_string()));
        }
        let differs = world.people.iter().any(|person| person.host.differed());
        if differs {
            return Ok(Some("a question that came twice was answered in two ways".into()));
        }
        let rows: BTreeMap<String, PhoneTransfer> =
            rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        Ok(phones_know(world, &rows)?
            .or_else(|| shown_is_true(world, &rows))
            .or_else(|| once(world, plan, &rows))
            .or_else(|| {
                world.lapsed.first().map(|id| format!("{id} was agreed to when its offer had run out"))
            })
            .or(accounts_hold(world, plan, &rows)?))
    }
}

/// Every phone knows how each of its transfers ended, as the host does; and what is booked,
/// both of them know of.
fn phones_know(
    world: &mut World,
    rows: &BTreeMap<String, PhoneTransfer>,
) -> Result<Option<String>, WorldError> {
    let mut known = BTreeMap::new();
    for person in 0..PEOPLE {
        for transfer in world.transfers(person)? {
            let id = transfer.id.to_string();
            let booked = rows.get(&id).map(|row| row.is_booked);
            let agrees = match transfer.state {
                TransferState::Booked => booked == Some(true),
                TransferState::Refused => booked == Some(false),
                _ => false,
            };
            if !agrees {
                let (state, way) = (transfer.state, transfer.way.word());
                let host = match booked {
                    Some(true) => "booked",
                    Some(false) => "refused",
                    None => "never told",
                };
                return Ok(Some(format!("{person} {way} {id}: {state} in the phone, {host} at the host")));
            }
            *known.entry(id).or_insert(0) += 1;
        }
    }
    let alone = rows.values().find(|row| row.is_booked && known.get(&row.id) != Some(&2));
    Ok(alone.map(|row| format!("{} is booked, and not both phones know of it", row.id)))
}

/// What a holder was shown as done is booked, unless the money was not there.
fn shown_is_true(world: &World, rows: &BTreeMap<String, PhoneTransfer>) -> Option<String> {
    world.shown.iter().find_map(|(id, way)| {
        let holder = if *way == Way::Pays { "payer" } else { "payee" };
        match rows.get(&id.to_string()) {
            Some(row) if row.is_booked || row.reason.starts_with(NO_MONEY) => None,
            Some(row) => {
                Some(format!("{id} was shown to the {holder} as done, and is refused: {}", row.reason))
            }
            None => Some(format!("{id} was shown to the {holder} as done, and nobody told the host")),
        }
    })
}

/// Whatever somebody meant once moves once at most.
fn once(world: &World, plan: &Plan, rows: &BTreeMap<String, PhoneTransfer>) -> Option<String> {
    plan.steps.iter().find_map(|step| {
        let StepKind::Pay(_) = step.kind else { return None };
        let number = step.number;
        let is_booked = |id: &String| rows.get(id).is_some_and(|row| row.is_booked);
        let of_this = world.meant.iter().filter(|(_, meant)| **meant == number).map(|(id, _)| id.to_string());
        let count = of_this.filter(is_booked).count();
        (count > 1).then(|| format!("step {number} was meant once and is booked {count} times"))
    })
}

/// Every account holds what it began with, and what is booked.
fn accounts_hold(
    world: &mut World,
    plan: &Plan,
    rows: &BTreeMap<String, PhoneTransfer>,
) -> Result<Option<String>, WorldError> {
    let accounts = world.issuer.accounts(&mut world.context)?;
    for (number, person) in world.people.iter().enumerate() {
        let (id, account) = (person.phone.id(), name(number));
        let booked = rows.values().filter(|row| row.is_booked);
        let moved = booked.map(|row| match id {
            id if id == row.payee => row.amount.minor as i64,
            id if id == row.payer => -(row.amount.minor as i64),
            _ => 0,
        });
        let expected = plan.opening_minor[number] as i64 + moved.sum::<i64>();
        let found = accounts.iter().find(|row| row.id == account).map(|row| row.balance.minor as i64);
        if found != Some(expected) {
            let found = found.unwrap_or_default();
            return Ok(Some(format!(
                "account {account} should hold {expected} minor units, and holds {found}"
            )));
        }
    }
    Ok(None)
}
