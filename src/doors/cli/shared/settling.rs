//! Settling what is open, with or without a card.

use super::books::{self, Need};
use super::command::Call;
use super::failure::{Exit, Failure};
use super::journal;
use super::recording::Recording;
use super::scene::{Scene, Want, is_fresh};
use crate::air::host::{Host, Timeouts};
use crate::air::link::Interface;
use crate::base::context::Context;
use crate::observers::report::{recovery_json, recovery_text};
use crate::roles::terminal::journal::Journal;
use crate::roles::terminal::{Recovered, RecoveryRules, TerminalConfig, settle};
use crate::world::{HostAddress, remote_host};

/// Settles every row as far as it can be proven, and tells it.
pub(in crate::doors::cli) fn run(
    call: &mut Call<'_>,
    command: &'static str,
    nothing: &str,
) -> Result<Exit, Failure> {
    let recovered = match call.switches.reader()? {
        // A card that begins with this command has nothing to prove.
        Some(reader) if !is_fresh(&reader) => {
            let want = Want { command, interface: Interface::Contact, effect: call.effect, money: true };
            let mut scene = Scene::open(call, want)?;
            let recovered = scene.stage.recover(&mut scene.context)?;
            scene.recording.check()?;
            scene.stage.check(&mut scene.context)?;
            recovered
        }
        _ => without_card(call)?,
    };
    let due = recovered.due().count();
    if recovered.rows.is_empty() {
        call.output.say(&format!("{nothing}\n"));
    }
    call.output.say(&recovery_text(&recovered));
    call.output.tell("recovery", recovery_json(&recovered));
    Ok(if due > 0 { Exit::RecoveryDue } else { Exit::Done })
}

fn without_card(call: &mut Call<'_>) -> Result<Recovered, Failure> {
    let mut office = Office::open(call)?;
    let recovered = office.settle()?;
    office.recording.check()?;
    Ok(recovered)
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
        let (host, journal): (Box<dyn Host>, _) = match call.switches.host()? {
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
