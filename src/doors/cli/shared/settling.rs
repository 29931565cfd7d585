//! Settling what is open, with or without a card.

use super::books::{self, Need};
use super::command::Call;
use super::failure::{Exit, Failure};
use super::journal;
use super::recording::Recording;
use super::scene::{Scene, Want, is_fresh};
use crate::air::host::{Host, Timeouts};
use crate::air::link::{Card, Interface};
use crate::base::context::Context;
use crate::observers::report::{recovery_json, recovery_text};
use crate::roles::terminal::journal::Journal;
use crate::roles::terminal::{Recovered, RecoveryRules, TerminalConfig, TerminalError, settle};
use crate::world::{HostAddress, remote_host};

/// Who is there when open rows are settled.
pub(in crate::doors::cli) struct Seat<'a> {
    pub journal: &'a mut Journal,
    pub card: Option<&'a mut (dyn Card + 'a)>,
    pub host: &'a mut dyn Host,
    pub config: &'a TerminalConfig,
    pub context: &'a mut Context,
}

/// Settles every row as far as it can be proven, and tells it.
pub(in crate::doors::cli) fn run(
    call: &mut Call<'_>,
    command: &'static str,
    nothing: &str,
) -> Result<Exit, Failure> {
    let recovered = meet(call, command, |seat| {
        let card = seat.card.as_deref_mut();
        settle(seat.journal, card, seat.host, seat.config, RecoveryRules::ALL, seat.context)
    })?;
    let due = recovered.due().count();
    if recovered.rows.is_empty() {
        call.output.say(&format!("{nothing}\n"));
    }
    call.output.say(&recovery_text(&recovered));
    call.output.tell("recovery", recovery_json(&recovered));
    Ok(if due > 0 { Exit::RecoveryDue } else { Exit::Done })
}

/// Brings together the terminal, its host, and the card where one is named.
pub(in crate::doors::cli) fn meet<T>(
    call: &mut Call<'_>,
    command: &'static str,
    work: impl FnOnce(&mut Seat<'_>) -> Result<T, TerminalError>,
) -> Result<T, Failure> {
    match call.switches.reader()? {
        // A card that begins with this command has nothing to prove.
        Some(reader) if !is_fresh(&reader) => {
            let want = Want { command, interface: Interface::Contact, effect: call.effect, money: true };
            let mut scene = Scene::open(call, want)?;
            let stage = &mut scene.stage;
            let value = work(&mut Seat {
                journal: &mut stage.journal,
                card: Some(&mut *stage.card),
                host: &mut stage.host,
                config: &stage.config,
                context: &mut scene.context,
            })?;
            scene.recording.check()?;
            scene.stage.check(&mut scene.context)?;
            Ok(value)
        }
        _ => without_card(call, work),
    }
}

fn without_card<T>(
    call: &mut Call<'_>,
    work: impl FnOnce(&mut Seat<'_>) -> Result<T, TerminalError>,
) -> Result<T, Failure> {
    let mut office = Office::open(call)?;
    let value = work(&mut Seat {
        journal: &mut office.journal,
        card: None,
        host: office.host.as_mut(),
        config: &office.config,
        context: &mut office.context,
    })?;
    office.recording.check()?;
    Ok(value)
}

/// A terminal without a card.
pub(in crate::doors::cli) struct Office {
    /// The host.
    pub host: Box<dyn Host>,
    /// The journal.
    pub journal: Journal,
    /// The terminal.
    pub config: TerminalConfig,
    /// Clock, randomness and events.
    pub context: Context,
    /// The recording.
    pub recording: Recording,
}

impl Office {
    /// Opens journal and books, or the line to the host.
    pub(in crate::doors::cli) fn open(call: &mut Call<'_>) -> Result<Self, Failure> {
        let mut config = call.switches.config()?;
        let recording = Recording::create(&call.switches)?;
        let mut context = call.switches.context(recording.clone());
        let (host, journal): (Box<dyn Host>, _) = match call.switches.asked_host()? {
            HostAddress::Tcp(address) => {
                let key = journal::key(&call.switches)?;
                let journal =
                    journal::open_remote(&call.switches, &address, &key, &mut config, &mut context)?;
                (Box::new(remote_host(&address, &key, Timeouts::default())?), journal)
            }
            HostAddress::Local => {
                let store = books::address(call, Need::Uses)?;
                let issuer = books::open(call, &store, &mut context)?;
                (Box::new(issuer), journal::open(&call.switches, &store, true, &mut config, &mut context)?)
            }
        };
        recording.begin(None, &call.switches, &context)?;
        Ok(Self { host, journal, config, context, recording })
    }

    /// Settles what can be settled without a card.
    pub(in crate::doors::cli) fn settle(&mut self) -> Result<Recovered, Failure> {
        let Self { host, journal, config, context, .. } = self;
        Ok(settle(journal, None, host, config, RecoveryRules::ALL, context)?)
    }
}
