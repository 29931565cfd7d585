//! `cardwright host serve`: the issuer behind a TCP port, or an acquirer that forwards to
//! one, for many terminals at once.

use super::log::{Level, Log};
use crate::air::host::{AnswerRules, EndSignal, Limits, LinkKey, RuledHost, Timeouts};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::doors::cli::shared::books::{self, Need, token_key, token_key_argument};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::journal::link_key_file;
use crate::roles::token::{TokenRules, Vault};
use crate::words::iso8583::DIALECTS;
use crate::world::{
    Forwarding, HostAddress, Serving, StoreAddress, WorldError, Wrap, open_vault, serve_acquirer, serve_host,
    serve_tokens,
};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    .arg(dialect_argument("pos"))
    .arg(
        Arg::new("forward")
            .long("forward")
            .value_name("tcp:HOST:PORT")
            .help("Be an acquirer: keep no books, and forward what terminals ask to the host there"),
    )
    .arg(
        Arg::new("forward-key")
            .long("forward-key")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("The key of that line, from `host link add`; else link.key in the folder of --state"),
    )
    .arg(
        Arg::new("forward-timeout")
            .long("forward-timeout")
            .value_name("SECONDS")
            .default_value("20")
            .value_parser(value_parser!(u64).range(1..=300))
            .help("How long to wait for the host there; then the terminal gets no answer, and reverses"),
    )
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
        Arg::new("control").long("control").value_name("SOCKET").value_parser(value_parser!(PathBuf)).help(
            "For testing terminals: a Unix socket that takes answers for the next messages, JSON lines",
        ),
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
pub(super) fn dialect_argument(usual: &'static str) -> Arg {
    Arg::new("dialect")
        .long("dialect")
        .value_name("NAME")
        .default_value(usual)
        .value_parser(PossibleValuesParser::new(DIALECTS.iter().map(|row| row.name)))
        .help("How messages are written")
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let rules = rules(call)?;
    let forwarding = forwarding(call)?;
    // An acquirer without terminals serves nobody.
    let store = books::address(call, if forwarding.is_some() { Need::Asks } else { Need::Makes })?;
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
        rules: call.switches.rules()?,
    };
    let level = text("log").unwrap_or_default();
    let level = Level::NAMES.iter().find(|(name, _)| *name == level).map_or(Level::Messages, |row| row.1);
    let socket = call.arguments.get_one::<PathBuf>("control");
    if let Some(path) = socket {
        listen(path, &rules)?;
    }
    let wrap: Wrap = match rules.is_empty() && socket.is_none() {
        true => Arc::new(|host| host),
        false => {
            let by_socket = if socket.is_some() { ", and a socket" } else { "" };
            let rules_of = format!("{} rules{by_socket} choose answers", rules.len());
            call.output.note(format!("{rules_of}: this host is for testing terminals."));
            Arc::new(move |host| Box::new(RuledHost::new(host, rules.clone())))
        }
    };
    let log = Log(level);
    let vault = vault(call, &store, log)?;
    let no_signal = |cause: std::io::Error| Failure::Usage(format!("could not listen for SIGTERM: {cause}"));
    let signal = EndSignal::listen().map_err(no_signal)?;
    let seal = call.switches.seal_key.as_deref();
    let is_acquirer = forwarding.is_some();
    let server = match (forwarding, vault) {
        (Some(forwarding), _) => serve_acquirer(&serving, &store, seal, forwarding, wrap, log),
        (None, Some(vault)) => serve_tokens(&serving, &store, seal, vault, wrap, log),
        (None, None) => serve_host(&serving, &store, seal, wrap, log),
    };
    let server = server.map_err(|cause| books::at(&store, cause))?;
    call.output.say(&format!("host at tcp:{}\n", server.address()));
    if let Some(page) = server.page() {
        call.output.say(&format!("figures at http://{page}/metrics\n"));
    }
    let address = server.address().to_string();
    let engine = match store {
        _ if is_acquirer => "an acquirer: forwards, and keeps no books",
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
fn vault(call: &Call<'_>, store: &StoreAddress, log: Log) -> Result<Option<Vault>, Failure> {
    if !call.arguments.get_flag("tokens") {
        return Ok(None);
    }
    let key = token_key(call);
    let vault = open_vault(store, key.as_deref(), TokenRules::default(), &mut Context::system(log));
    Ok(Some(vault.map_err(|cause| books::at(store, cause))?))
}

/// Where to forward to, where this is to be an acquirer.
fn forwarding(call: &Call<'_>) -> Result<Option<Forwarding>, Failure> {
    let Some(named) = call.text("forward") else { return Ok(None) };
    let HostAddress::Tcp(address) = HostAddress::parse(named)? else {
        return Err(Failure::Usage("--forward: expected tcp:HOST:PORT".into()));
    };
    let file = link_key_file(call.arguments.get_one::<PathBuf>("forward-key"), &call.switches)?;
    if !file.exists() {
        return Err(Failure::Usage(format!(
            "there is no key {}: make one at the host behind with `cardwright host link add INSTITUTION`, and \
             name its file with --forward-key",
            file.display()
        )));
    }
    let key = LinkKey::read(&file).map_err(WorldError::from)?;
    let seconds = call.arguments.get_one::<u64>("forward-timeout").copied().unwrap_or(20);
    let timeouts = Timeouts { answer_ms: seconds * 1_000, ..Timeouts::default() };
    Ok(Some(Forwarding { address, key, timeouts }))
}

/// Takes answers for the next messages at a path.
#[cfg(unix)]
fn listen(path: &Path, rules: &AnswerRules) -> Result<(), Failure> {
    match crate::air::link::answer_lines(path, super::control::control(rules.clone()))? {
        true => Ok(()),
        false => Err(Failure::Usage(format!("another process listens at {} already", path.display()))),
    }
}

#[cfg(not(unix))]
fn listen(_: &Path, _: &AnswerRules) -> Result<(), Failure> {
    Err(Failure::Usage("--control is a Unix socket, which this system does not have".into()))
}

fn rules(call: &Call<'_>) -> Result<AnswerRules, Failure> {
    let Some(path) = call.arguments.get_one::<PathBuf>("rules") else { return Ok(AnswerRules::default()) };
    let text = std::fs::read_to_string(path).map_err(|cause| Failure::file("read", path, cause))?;
    AnswerRules::parse(&text).map_err(|cause| Failure::Usage(format!("{}: {cause}", path.display())))
}
