//! A touch from the command line, either side of it.

use super::around::Neighbours;
use super::{phone, told};
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::Columns;
use crate::roles::p2p::transfer::{Task, Touch, TouchEnd, Transfer, TransferError, TransferState, Way};
use crate::words::iso4217::Amount;
use crate::world::PeerAddress;
use crate::world::transfer::{drive, open_peer};
use clap::{Arg, ArgAction};
use serde_json::json;
use std::time::Duration;

/// How long the other phone is waited for, where `--wait` does not say.
const WAIT: Duration = Duration::from_secs(30);
/// How long a touch may take, with a person who looks and says yes.
const PATIENCE: Duration = Duration::from_secs(90);

/// The arguments of either side.
pub(in crate::doors::cli) fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("peer").long("peer").value_name("ADDRESS").required(true).help(
        "Where the other phone is: udp:HOST:PORT (who comes first listens there), pn532:DEVICE, or \
                 pn532:pcsc:NAME-PART (an ACR122U)",
    ))
    .arg(
        Arg::new("offline")
            .long("offline")
            .action(ArgAction::SetTrue)
            .help("Asks no host: both phones keep what was agreed to, and `p2p settle` tells the host later"),
    )
}

/// Touches.
pub(in crate::doors::cli) fn touch(
    call: &mut Call<'_>,
    way: Way,
    amount: Option<Amount>,
    yes: bool,
) -> Result<Exit, Failure> {
    let address = PeerAddress::parse(call.text("peer").unwrap_or_default())?;
    let asks_host = !call.flag("offline");
    let mut context = call.switches.context(Recording::default());
    let (mut own, _lock) = phone::open(call, &mut context)?;
    own.own()?;
    let mut host = None;
    if asks_host {
        let (known, asked) = phone::with_host(call, own, &mut context)?;
        (own, host) = (known, Some(asked));
    }
    let mut around = Neighbours::new(host, yes);
    let mut touch = Touch::new(Task { way, amount, asks_host })?;
    let wait = call.switches.wait.unwrap_or(WAIT);
    call.output.note(format!("Waiting up to {} s for another phone ...", wait.as_secs()));
    let mut peer = open_peer(&address, way, touch.general_bytes(), wait, &mut context)?;
    let broken = drive(&mut touch, &mut own, peer.as_mut(), &mut around, PATIENCE, &mut context)?;
    peer.release(&mut context);
    let transfer = match touch.transfer() {
        Some(id) => own.transfer(id)?,
        None => None,
    };
    tell(call, transfer.as_ref(), touch.end(), broken.as_deref())
}

fn tell(
    call: &mut Call<'_>,
    transfer: Option<&Transfer>,
    end: Option<TouchEnd>,
    broken: Option<&str>,
) -> Result<Exit, Failure> {
    let unmask = call.switches.unmask;
    let is_former = matches!(end, Some(TouchEnd::Done { is_former: true, .. }));
    if let Some(transfer) = transfer {
        let mut columns = Columns::indented(0);
        told::row(&mut columns, transfer, unmask);
        call.output.say(&columns.to_string());
    }
    call.output.tell("transfer", transfer.map_or(serde_json::Value::Null, |row| told::json(row, unmask)));
    call.output.tell("former", json!(is_former));
    call.output.tell("broken", json!(broken));
    if is_former {
        call.output.note(
            "This is a transfer of before that was not known to have arrived: it came first, and the new one \
             was not agreed to. Touch again for another one.",
        );
    }
    if let Some(TouchEnd::Refused { why, by_other }) = end {
        let who = if by_other { "the other phone" } else { "this phone" };
        call.output.note(format!("{who} did not go on: {why}"));
        call.output.tell("refused", json!(why.to_string()));
    }
    match (transfer.map(|row| row.state), end) {
        (Some(TransferState::Agreed), _) => {
            call.output
                .note("Touch again to finish it, or `cardwright p2p settle` when the host can be asked.");
            Ok(Exit::RecoveryDue)
        }
        (_, Some(TouchEnd::Refused { .. })) | (Some(TransferState::Refused), _) => Ok(Exit::Declined),
        (Some(state), _) if state.is_success() => Ok(Exit::Done),
        _ => {
            let cause = broken.unwrap_or("the touch ended before anything was agreed to").to_owned();
            Err(TransferError::Broken { cause }.into())
        }
    }
}
