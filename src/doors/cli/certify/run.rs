//! `cardwright certify run`: the cases that apply to a product, as many as have no result.

use super::shared::session;
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::doors::cli::shared::attendant::Bystander;
use crate::doors::cli::shared::cards::cards;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::scene::card_seal_key;
use crate::doors::cli::shared::served::{self, Served};
use crate::observers::campaign::certify::{
    Entry, Product, Session, Sitting, Told, catalogue, certify, shipped_scripts,
};
use crate::observers::campaign::{Plant, SuiteSettings, load_scripts, script_files};
use crate::observers::report::suite::CaseVerdict;
use crate::observers::script::tree::Script;
use crate::roles::terminal::TerminalConfig;
use crate::words::iso7816::Effect;
use crate::world::{ReaderAddress, read_text};
use clap::{Arg, ArgAction, value_parser};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "run",
    about: "Plays the cases that apply to a product and have no result yet; a session goes on tomorrow",
    effect: Some(Effect::Destroys),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("ID").num_args(0..).help("Only these cases; else all that have no result"))
        .arg(session::argument().required(false).required_unless_present("list"))
        .arg(
            Arg::new("ics")
                .long("ics")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The questionnaire of a new session; one that goes on has its own"),
        )
        .arg(
            Arg::new("cases")
                .long("cases")
                .value_name("PATH")
                .action(ArgAction::Append)
                .value_parser(value_parser!(PathBuf))
                .help("Scripts, or folders of them, instead of the set that comes with this program"),
        )
        .arg(
            Arg::new("reason")
                .long("reason")
                .value_name("TEXT")
                .requires("ID")
                .help("Why cases that have a result are played again; the earlier result is kept"),
        )
        .args(served::arguments())
        .arg(
            Arg::new("unattended")
                .long("unattended")
                .action(ArgAction::SetTrue)
                .help("Nobody is asked anything: cases that need a person are not run"),
        )
        .arg(
            Arg::new("list")
                .long("list")
                .action(ArgAction::SetTrue)
                .help("Names every case of the set and plays none"),
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let scripts = scripts(call)?;
    let entries = catalogue(&scripts).map_err(Failure::suite)?;
    if call.flag("list") {
        return Ok(list(call, &entries));
    }
    let ics = call.arguments.get_one::<PathBuf>("ics");
    let ics =
        ics.map(|path| read_text(path).map_err(|cause| Failure::file("read", path, cause))).transpose()?;
    let now = Context::system(Discard).now();
    let config = call.switches.config()?;
    let switches = call.switches.clone();
    let seal = |address: &ReaderAddress, context: &mut Context| card_seal_key(&switches, address, context);
    let served = Served::of(call)?;
    let attendant = Bystander::new(!call.flag("unattended"), false);
    let settings = SuiteSettings {
        cards: cards(&switches, &seal)?,
        interface: switches.interface,
        config: &config,
        // One after the other: the order of the evidence is the order of the set.
        threads: 1,
        retries: 0,
        fail_fast: false,
        seed: switches.seed,
        target: served.target.as_ref(),
        host: served.host.as_ref(),
        attendant: &attendant,
        unmask: false,
        detail: true,
        plant: Plant::Nothing,
        terminal: None,
        keeps_events: true,
    };
    let mut session = Session::open(&session::folder(call), ics.as_deref(), now).map_err(Failure::suite)?;
    if session.questionnaire.product == Product::Terminal && switches.reader.is_some() {
        return Err(Failure::Usage(
            "a terminal is under test, and the scripts play the card: leave out --reader".into(),
        ));
    }
    if session.questionnaire.product == Product::Card && served.is_elsewhere() {
        return Err(Failure::Usage(
            "a card is under test, and the scripts play the terminal: leave out --on and --listen".into(),
        ));
    }
    let sitting = Sitting {
        ids: call.texts("ID").cloned().collect(),
        reason: call.text("reason").map(str::to_owned),
        circumstances: circumstances(call, &served, session.questionnaire.product, &config),
    };
    let (mut counts, mut against, mut inapplicable) = (Vec::new(), 0, 0);
    let output = &mut call.output;
    certify(&mut session, &scripts, &entries, &settings, &sitting, &mut |told: &Told<'_>| {
        against += usize::from(told.is_against());
        match told.verdict {
            Some(verdict) => counts.push(verdict),
            None => inapplicable += 1,
        }
        output.say(&line_of(told));
    })
    .map_err(Failure::suite)?;
    let count = |wanted: CaseVerdict| counts.iter().filter(|verdict| **verdict == wanted).count();
    let counted: Vec<String> = CaseVerdict::ALL
        .iter()
        .filter(|verdict| count(**verdict) > 0)
        .map(|verdict| format!("{} {}", count(*verdict), verdict.word()))
        .collect();
    let counted = if counted.is_empty() { "nothing was left to play".to_owned() } else { counted.join(", ") };
    output.say(&format!(
        "\n{counted}; {inapplicable} do not apply\nlast hash  {}\n\
         This says what ran and what came of it, and nothing beyond: it is no certificate.\n",
        session.head()
    ));
    let verdicts = CaseVerdict::ALL.iter().map(|verdict| (verdict.word(), json!(count(*verdict))));
    output.tell("counts", verdicts.map(|(word, count)| (word.replace(' ', "_"), count)).collect());
    output.tell("inapplicable", json!(inapplicable));
    output.tell("mandatory_not_passed", json!(against));
    output.tell("head", json!(session.head()));
    if count(CaseVerdict::Unreachable) > 0 {
        output.note("Cases whose card could not be reached have no result: run again when it is there.");
    }
    Ok(if against > 0 { Exit::Declined } else { Exit::Done })
}

fn scripts(call: &Call<'_>) -> Result<Vec<Script>, Failure> {
    let named: Vec<PathBuf> = call.arguments.get_many("cases").unwrap_or_default().cloned().collect();
    if named.is_empty() {
        return shipped_scripts().map_err(Failure::suite);
    }
    let files = script_files(&named).map_err(Failure::suite)?;
    load_scripts(&files).map_err(Failure::suite)
}

/// What is written down beside the results of a sitting.
fn circumstances(call: &Call<'_>, served: &Served, product: Product, config: &TerminalConfig) -> Value {
    let keys = config.trust.keys.iter().map(|key| {
        let rid = Hex(&key.rid).to_string();
        json!({ "rid": rid, "index": format!("{:02X}", key.index), "checksum": Hex(&key.checksum()).to_string() })
    });
    let reader = call.switches.reader.as_deref();
    json!({
        "product": product.word(),
        "reader": reader.unwrap_or("fresh simulated cards"),
        "host": call.switches.host,
        "terminal": if served.is_elsewhere() { "elsewhere" } else { "our own" },
        "card_served_on": call.text("on"),
        "host_listens_at": call.text("listen"),
        "interface": call.switches.interface.map(|interface| interface.to_string()),
        "seed": call.switches.seed,
        "terminal_file": call.switches.terminal.as_ref().map(|path| path.display().to_string()),
        "ca_keys": keys.collect::<Vec<_>>(),
    })
}

fn line_of(told: &Told<'_>) -> String {
    let entry = told.entry;
    let word = told.verdict.map_or("-", CaseVerdict::word);
    let reason = if told.reason.is_empty() { String::new() } else { format!("\n           {}", told.reason) };
    let advised = match told.verdict {
        Some(verdict) if !verdict.is_success() && !told.is_against() => " (advised)",
        _ => "",
    };
    format!("{word:<7}  {}  {}{advised}{reason}\n", entry.id, entry.title)
}

fn list(call: &mut Call<'_>, entries: &[Entry]) -> Exit {
    let mut cases = Vec::new();
    for entry in entries {
        let effect = entry.effect.map_or("undeclared", Effect::word);
        let (product, criterion) = (entry.product.word(), entry.criterion.word());
        call.output.say(&format!(
            "{}  {}  ({}; {product}, {criterion}, {effect})\n",
            entry.id, entry.title, entry.clause
        ));
        cases.push(json!({
            "id": entry.id,
            "title": entry.title,
            "clause": entry.clause,
            "product": product,
            "criterion": criterion,
            "effect": effect,
            "precondition": entry.precondition,
        }));
    }
    call.output.tell("cases", json!(cases));
    Exit::Done
}
