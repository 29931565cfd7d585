//! `cardwright host serve`: the issuer behind a TCP port, for many terminals at once.

use super::log::{Level, Log};
use crate::air::host::{AnswerRules, EndSignal, Host, Limits, RuledHost};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::doors::cli::shared::books::{self, Need, token_key, token_key_argument};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::roles::token::{TokenRules, Vault};
use crate::words::iso8583::DIALECTS;
use crate::world::{Serving, StoreAddress, Wrap, before_issuer, open_vault, serve_host};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "serve",
    about: "Serves terminals over TCP (ISO 8583) until SIGTERM or Ctrl-C",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let levels = PossibleValuesParser::new(Level::NAMES.map(|(name, _)| name));
    line.arg(
        Arg::new("listen")
            .long("listen")
            .value_name("HOST:PORT")
            .default_value("127.0.0.1:5000")
            .help("Where; port 0 takes any, and the first line says which"),
    )
    .arg(
        Arg::new("metrics")
            .long("metrics")
            .value_name("HOST:PORT")
            .help("A page of figures for Prometheus, at http://HOST:PORT/metrics; loopback only"),
    )
    .arg(dialect_argument())
    .arg(
        Arg::new("tokens")
            .long("tokens")
            .action(ArgAction::SetTrue)
            .help("Puts the token service before the issuer: taps of phones are checked and swapped"),
    )
    .arg(token_key_argument())
    .arg(
        Arg::new("rules")
            .long("rules")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("For testing terminals: [[rule]] tables that choose code, delay, silence or copies"),
    )
    .arg(
        Arg::new("workers")
            .long("workers")
            .value_name("N")
            .value_parser(value_parser!(u16).range(1..=256))
            .help(
                "Messages at once: by default 16 with a store on a server, where each has a connection, \
                 and 64 with a file, where they share a commit",
            ),
    )
    .arg(
        Arg::new("log")
            .long("log")
            .value_name("LEVEL")
            .default_value("messages")
            .value_parser(levels)
            .help("What standard error tells, as JSON Lines without card data"),
    )
}

/// `--dialect`.
pub(super) fn dialect_argument() -> Arg {
    Arg::new("dialect")
        .long("dialect")
        .value_name("NAME")
        .default_value("pos")
        .value_parser(PossibleValuesParser::new(DIALECTS.iter().map(|row| row.name)))
        .help("How messages are written")
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let rules = rules(call)?;
    let store = books::address(call, Need::Makes)?;
    let text = |name: &str| call.text(name).map(str::to_owned);
    let usual = match store {
        StoreAddress::Postgres(_) => 16,
        StoreAddress::Sqlite(_) | StoreAddress::Memory => 64,
    };
    let workers = call.arguments.get_one::<u16>("workers").copied().unwrap_or(usual);
    let serving = Serving {
        listen: text("listen").unwrap_or_default(),
        metrics: text("metrics"),
        dialect: text("dialect").unwrap_or_default(),
        limits: Limits { workers: workers.into(), ..Limits::default() },
    };
    let level = text("log").unwrap_or_default();
    let level = Level::NAMES.iter().find(|(name, _)| *name == level).map_or(Level::Messages, |row| row.1);
    let log = Log(level);
    let vault = vault(call, &store, log)?;
    if !rules.is_empty() {
        call.output
            .note(format!("{} rules choose answers: this host is for testing terminals.", rules.len()));
    }
    let wrap: Wrap = Arc::new(move |issuer| {
        let host: Box<dyn Host> = match &vault {
            Some(vault) => before_issuer(&vault.lock().unwrap_or_else(PoisonError::into_inner), issuer)?,
            None => Box::new(issuer),
        };
        Ok(match rules.is_empty() {
            true => host,
            false => Box::new(RuledHost::new(host, rules.clone())),
        })
    });
    let no_signal = |cause: std::io::Error| Failure::Usage(format!("could not listen for SIGTERM: {cause}"));
    let signal = EndSignal::listen().map_err(no_signal)?;
    let server = serve_host(&serving, &store, call.switches.seal_key.as_deref(), wrap, log)
        .map_err(|cause| books::at(&store, cause))?;
    call.output.say(&format!("host at tcp:{}\n", server.address()));
    if let Some(page) = server.page() {
        call.output.say(&format!("figures at http://{page}/metrics\n"));
    }
    let address = server.address().to_string();
    let engine = match store {
        StoreAddress::Postgres(_) => "books on a PostgreSQL server",
        StoreAddress::Sqlite(_) => "books in an SQLite file",
        StoreAddress::Memory => "books in memory: they end here",
    };
    let mut context = Context::system(log);
    context.emit(Event::new("host", "Started").because(engine).with_named("address", address));
    signal.wait();
    server.stop();
    context.emit(Event::new("host", "Stopped").because("told to; what was under way is answered"));
    call.output.tell("stopped", json!(true));
    Ok(Exit::Done)
}

/// The vault, where the token service is wanted.
fn vault(call: &Call<'_>, store: &StoreAddress, log: Log) -> Result<Option<Mutex<Vault>>, Failure> {
    if !call.arguments.get_flag("tokens") {
        return Ok(None);
    }
    let key = token_key(call);
    let vault = open_vault(store, key.as_deref(), TokenRules::default(), &mut Context::system(log));
    Ok(Some(Mutex::new(vault.map_err(|cause| books::at(store, cause))?)))
}

fn rules(call: &Call<'_>) -> Result<AnswerRules, Failure> {
    let Some(path) = call.arguments.get_one::<PathBuf>("rules") else { return Ok(AnswerRules::default()) };
    let text = std::fs::read_to_string(path).map_err(|cause| Failure::file("read", path, cause))?;
    AnswerRules::parse(&text).map_err(|cause| Failure::Usage(format!("{}: {cause}", path.display())))
}
