//! `cardwright agent`: plays jobs that other machines have submitted.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::jobs::{jobs_argument, process_name, queue};
use super::shared::lua::interpreter;
use super::shared::readers::{all_kept, reader_list};
use super::shared::scene::{card_seal_key, kept_file};
use super::shared::threads::{threads, threads_argument};
use crate::base::context::Context;
use crate::observers::campaign::queue::Ticket;
use crate::observers::campaign::{AgentEvent, AgentSettings, work};
use crate::words::iso7816::Effect;
use crate::world::ReaderAddress;
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::time::Duration;

/// For how long an agent may give no sign, where nobody says.
const LEASE_SECONDS: u64 = 30;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "agent",
    about: "Plays the jobs that `test --jobs` and `world run --jobs` submit, on its readers and cores",
    effect: Some(Effect::Destroys),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        jobs_argument("The store with the jobs: postgres://..., or sqlite:FILE on this machine")
            .required(true),
    )
    .arg(threads_argument(
        0,
        "How many jobs for cores at once: fresh cards and worlds; 0 is for readers alone; else one for each \
         processor",
    ))
    .arg(
        Arg::new("lease")
            .long("lease")
            .value_name("SECONDS")
            .value_parser(value_parser!(u64).range(1..=3600))
            .help("For how long it may give no sign of life before its jobs are another's; else 30"),
    )
    .arg(
        Arg::new("drain")
            .long("drain")
            .action(ArgAction::SetTrue)
            .help("Ends when nothing is left that it could play, instead of waiting for more"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let drains = call.flag("drain");
    if call.switches.json && !drains {
        return Err(Failure::Usage(
            "an agent has no end, and --json speaks at the end: name --drain too".into(),
        ));
    }
    let Some(queue) = queue(call)? else {
        return Err(Failure::Usage("expected --jobs and the address of a store".into()));
    };
    let readers = match &call.switches.reader {
        None => Vec::new(),
        Some(named) => reader_list(named)?,
    };
    all_kept(&readers)?;
    for (_, address) in &readers {
        if let ReaderAddress::Simulated(name) = address {
            kept_file(name)?;
        }
    }
    let switches = call.switches.clone();
    let seal = |address: &ReaderAddress, context: &mut Context| card_seal_key(&switches, address, context);
    let lease = call.arguments.get_one::<u64>("lease").copied().unwrap_or(LEASE_SECONDS);
    let settings = AgentSettings {
        name: process_name(),
        threads: threads(call),
        readers,
        allowed: switches.allow,
        seal: &seal,
        lua: interpreter(),
        lease: Duration::from_secs(lease),
        drains,
    };
    if settings.threads == 0 && settings.readers.is_empty() {
        return Err(Failure::Usage("an agent without cores needs a reader: --reader ADDRESS".into()));
    }
    let readers: Vec<&str> = settings.readers.iter().map(|(text, _)| text.as_str()).collect();
    let owns = if readers.is_empty() { "no reader".to_owned() } else { readers.join(", ") };
    call.output
        .say(&format!("agent {}: {} jobs for cores at once; {owns}\n", settings.name, settings.threads));
    let output = &mut call.output;
    let totals =
        work(&queue, &settings, &mut |event| output.say(&(line(event) + "\n"))).map_err(Failure::suite)?;
    call.output.say(&format!("{} jobs played, {} refused\n", totals.ended, totals.refused));
    call.output.tell("name", json!(settings.name));
    call.output.tell("ended", json!(totals.ended));
    call.output.tell("refused", json!(totals.refused));
    Ok(Exit::Done)
}

/// What happened, on one line.
fn line(event: &AgentEvent) -> String {
    let job = |ticket: &Ticket| format!("job {} of {}", ticket.number, ticket.campaign);
    match event {
        AgentEvent::Took { ticket, post } => {
            format!("took     {}, claim {}: {post}", job(ticket), ticket.lease)
        }
        AgentEvent::Ended { ticket, trouble: None } => format!("ended    {}", job(ticket)),
        AgentEvent::Ended { ticket, trouble: Some(cause) } => format!("failed   {}: {cause}", job(ticket)),
        AgentEvent::Refused(ticket) => {
            format!("refused  {}: it was another's before the result came", job(ticket))
        }
        AgentEvent::Expired(ticket) => format!("expired  {}: its agent gave no sign", job(ticket)),
        AgentEvent::ReaderGone { reader, cause } => format!("waiting  {reader}: {cause}"),
        AgentEvent::Away(cause) => format!("waiting  {cause}"),
    }
}
