//! Two phones that touch: money moves online, offline, and through a touch that breaks.

use super::shared::teller::Teller;
use crate::base::context::Context;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::folder::make_folder;
use crate::doors::cli::shared::recording::Recording;
use crate::roles::issuer::{AccountId, Issuer};
use crate::roles::p2p::transfer::{Confirmation, Phone, Task, TouchEnd, TransferState, Way, settle};
use crate::words::iso4217::{Amount, Currency};
use crate::world::transfer::{Met, OFFLINE_LIMIT_MINOR, Side, enrol_phone, meet, open_phone};
use crate::world::{StoreAddress, open_books};
use serde_json::{Value, json};
use std::cell::Cell;
use std::fs::File;

const CNY: Currency = Currency::CNY;
const ONLINE: Amount = Amount::new(2_000, CNY);
const OFFLINE: Amount = Amount::new(1_250, CNY);
const BROKEN: Amount = Amount::new(500, CNY);
/// Everyone, and what they begin with, minor units.
const PEOPLE: [(&str, &str, u64); 2] = [("A1", "Zhang San", 10_000), ("B1", "Li Si", 3_000)];
/// How many units go through after the payer has said yes, where the touch is to break: too few.
const UNITS: usize = 3;

/// Tells it.
pub(super) fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let folder = make_folder("demo")?;
    let mut context = call.switches.context(Recording::default());
    let store = StoreAddress::Sqlite(folder.join("cardwright.db"));
    let mut issuer = open_books(&store, None, &mut context)?;
    let mut phones = Vec::new();
    for (account, name, minor) in PEOPLE {
        let opening = Amount::new(minor, CNY);
        let account = issuer.open_account(Some(account), opening, name, &mut context)?;
        let (mut phone, lock) = open_phone(&folder.join(account.to_string()), &mut context)?;
        enrol_phone(&mut phone, &mut issuer, &account, name, OFFLINE_LIMIT_MINOR, &mut context)?;
        phones.push((phone, lock));
    }
    let [payer, payee] =
        <[(Phone, File); 2]>::try_from(phones).map_err(|_| Failure::Invariant("two phones".into()))?;
    let demo =
        Demo { payer: payer.0, payee: payee.0, issuer, context, rows: Vec::new(), teller: Teller::new(call) };
    let result = demo.tell(&folder.display().to_string());
    drop((payer.1, payee.1));
    result
}

struct Demo<'a, 'b> {
    payer: Phone,
    payee: Phone,
    issuer: Issuer,
    context: Context,
    /// Where the money was, and when.
    rows: Vec<(&'static str, [i64; 2])>,
    teller: Teller<'a, 'b>,
}

impl Demo<'_, '_> {
    fn tell(mut self, folder: &str) -> Result<Exit, Failure> {
        self.teller.paragraph(
            "Two people with a phone each, and the bank of both. The phones speak NDEF over SNEP and LLCP, as \
             over NFC; keys, signatures and books are real, the air between them is not.",
        );
        self.teller.chapter("Two phones");
        self.teller.paragraph(
            "Each phone has made a key, and the bank has signed who it is of. The payee's phone will show the \
             payer nothing that the bank has not signed, and the other way round.",
        );
        self.note("before")?;
        self.teller.chapter(&format!("A touch of {ONLINE}, the bank asked at once"));
        self.teller.paragraph(
            "The payer's phone greets; the payee's offers, for this payer alone; the payer sees the name and \
             the amount and says yes. The phone keeps that before it says it, and asks the bank, which books it \
             and signs; the payee's phone believes that signature.",
        );
        let met = self.touch(ONLINE, true, None)?;
        self.stands(&met, TransferState::Booked)?;
        self.note("after the touch")?;
        self.teller.chapter(&format!("A touch of {OFFLINE} under ground"));
        self.teller.paragraph(
            "No bank can be asked. Both phones keep what was agreed to, within what the payer's phone may \
             promise; the money has not moved yet.",
        );
        let met = self.touch(OFFLINE, false, None)?;
        self.stands(&met, TransferState::Acknowledged)?;
        self.note("after the touch")?;
        self.teller.chapter("A touch that breaks");
        self.teller.paragraph(&format!(
            "{BROKEN} this time, and the phones part while the payer's promise is on its way. The payer's \
             phone cannot know whether it arrived. It says so, and does not guess.",
        ));
        let met = self.touch(BROKEN, false, Some(UNITS))?;
        self.stands(&met, TransferState::Agreed)?;
        self.teller.paragraph(
            "They touch again. The payee's phone makes a new offer; the payer's answers with the promise of \
             before, which comes first: nothing is promised twice.",
        );
        let met = self.touch(BROKEN, false, None)?;
        self.stands(&met, TransferState::Acknowledged)?;
        if !matches!(met[0].end, Some(TouchEnd::Done { is_former: true, .. })) {
            return Err(Failure::Invariant(format!(
                "the former transfer came first, expected; found {:?}",
                met[0]
            )));
        }
        self.teller.chapter("Back above ground");
        self.teller.paragraph(
            "Both phones tell the bank of what they keep: the payer's, then the payee's, then the payer's \
             again. Each transfer is one row in the bank's books, and is booked once.",
        );
        self.settle()?;
        self.note("after both have settled")?;
        self.end(folder)
    }

    fn end(mut self, folder: &str) -> Result<Exit, Failure> {
        self.teller.chapter("Where the money was");
        let table: Vec<String> = self.rows.iter().map(|(when, held)| row(when, *held)).collect();
        self.teller.evidence(&format!("{}\n{}", header(), table.join("\n")));
        self.teller.say("\n");
        self.teller.paragraph("The sum never changed, and each transfer is booked once.");
        if let Some(violation) = self.issuer.check(&mut self.context)?.first() {
            return Err(Failure::Invariant(violation.to_string()));
        }
        let positions: Vec<Value> = self
            .rows
            .iter()
            .map(|(when, [payer, payee])| {
                json!({ "when": when, "payer_minor": payer, "payee_minor": payee, "sum_minor": payer + payee })
            })
            .collect();
        let booked = self.issuer.phone_transfers(&mut self.context)?;
        self.teller.tell("positions", json!(positions));
        self.teller.tell("booked", json!(booked.iter().filter(|row| row.is_booked).count()));
        self.teller.tell("folder", json!(folder));
        self.teller.say(&format!("\nThe phones and the books are kept: {folder}\n"));
        Ok(Exit::Done)
    }

    /// Lets the phones touch; where `units` are named, no more go through after the payer's yes.
    fn touch(&mut self, amount: Amount, asks_host: bool, units: Option<usize>) -> Result<[Met; 2], Failure> {
        let task = |way, asks_host| Task { way, amount: Some(amount), asks_host };
        let (mut own, mut others) = (self.issuer.handle()?, self.issuer.handle()?);
        let shown = Cell::new(None);
        let mut holder = |confirmation: &Confirmation, _: &mut Context| {
            shown.set(Some(confirmation.clone()));
            true
        };
        let mut nobody = |_: &Confirmation, _: &mut Context| false;
        let mut left = units;
        let mut carry = |_: usize, unit: Vec<u8>| {
            let has_agreed =
                shown.take().inspect(|confirmation| shown.set(Some(confirmation.clone()))).is_some();
            match &mut left {
                Some(0) => None,
                Some(left) if has_agreed => {
                    *left -= 1;
                    Some(unit)
                }
                _ => Some(unit),
            }
        };
        let payer = Side {
            phone: &mut self.payer,
            task: task(Way::Pays, asks_host),
            host: &mut own,
            holder: &mut holder,
        };
        let payee = Side {
            phone: &mut self.payee,
            task: task(Way::Receives, false),
            host: &mut others,
            holder: &mut nobody,
        };
        let met = meet(payer, payee, &mut carry, &mut self.context)?;
        if let Some(Confirmation { payee_name, amount, .. }) = shown.take() {
            self.teller.evidence(&format!("the payer's phone shows: pay {amount} to {payee_name}? yes"));
        }
        Ok(met)
    }

    /// The payer's transfer must stand so.
    fn stands(&mut self, met: &[Met; 2], expected: TransferState) -> Result<(), Failure> {
        let mut lines = Vec::new();
        let mut found = None;
        for (who, phone, met) in [("payer", &mut self.payer, &met[0]), ("payee", &mut self.payee, &met[1])] {
            let Some(id) = met.transfer else { continue };
            let Some(transfer) = phone.transfer(id)? else { continue };
            lines.push(format!("{who}'s phone: {} {}", transfer.amount, transfer.state));
            found = found.or(Some(transfer.state));
        }
        self.teller.evidence(&lines.join("\n"));
        self.teller.say("\n");
        match found == Some(expected) {
            true => Ok(()),
            false => {
                Err(Failure::Invariant(format!("expected a transfer that is {expected}, found {met:?}")))
            }
        }
    }

    fn settle(&mut self) -> Result<(), Failure> {
        let mut lines = Vec::new();
        // The offer that the former promise came before has to run out first.
        self.context.elapse(std::time::Duration::from_secs(600));
        for (who, is_payer) in [("payer", true), ("payee", false), ("payer again", true)] {
            let phone = if is_payer { &mut self.payer } else { &mut self.payee };
            for settled in settle(phone, &mut self.issuer, &mut self.context)? {
                let transfer = settled.transfer;
                lines.push(format!("{who}: {} {}", transfer.amount, transfer.state));
            }
        }
        self.teller.evidence(&lines.join("\n"));
        Ok(())
    }

    fn note(&mut self, when: &'static str) -> Result<(), Failure> {
        let accounts = self.issuer.accounts(&mut self.context)?;
        let held = PEOPLE.map(|(id, ..)| {
            let account = accounts.iter().find(|account| account.id == AccountId(id.into()));
            account.map_or(0, |account| account.balance.minor as i64)
        });
        let expected: i64 = PEOPLE.iter().map(|(_, _, minor)| *minor as i64).sum();
        let found = held[0] + held[1];
        self.teller.say(&format!("\n   {}\n   {}\n", header(), row(when, held)));
        self.rows.push((when, held));
        match found == expected {
            true => Ok(()),
            false => {
                Err(Failure::Invariant(format!("{when}: expected {expected} minor units, found {found}")))
            }
        }
    }
}

fn header() -> String {
    format!("{:28}{:>12}{:>12}{:>12}", format!("in {CNY}"), PEOPLE[0].1, PEOPLE[1].1, "sum")
}

fn row(when: &str, [payer, payee]: [i64; 2]) -> String {
    let show = |minor: i64| Amount::new(minor.unsigned_abs(), CNY).to_string().replace(" CNY", "");
    format!("{when:28}{:>12}{:>12}{:>12}", show(payer), show(payee), show(payer + payee))
}
