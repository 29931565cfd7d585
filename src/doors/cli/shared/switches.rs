//! The switches that every command has.

use super::failure::Failure;
use crate::air::link::{Interface, Protocol, ReaderOptions};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::EventSink;
use crate::roles::issuer::{Limits, Rules};
use crate::roles::terminal::{TerminalConfig, Trust};
use crate::words::iso7816::Effect;
use crate::world::{HostAddress, ReaderAddress, read_text};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long `--wait` waits where it does not say.
const WAIT_SECONDS: &str = "60";

/// What was given of them.
#[derive(Debug, Clone)]
pub(in crate::doors::cli) struct Switches {
    pub reader: Option<String>,
    pub interface: Option<Interface>,
    pub host: String,
    pub store: Option<String>,
    pub seal_key: Option<PathBuf>,
    pub limits: Option<PathBuf>,
    pub state: Option<PathBuf>,
    pub allow: Effect,
    pub wait: Option<Duration>,
    pub shared: bool,
    pub protocol: Option<Protocol>,
    pub save: Option<PathBuf>,
    pub unmask: bool,
    pub json: bool,
    /// Where the terminal's security module is.
    pub sam: Option<String>,
    pub pin_file: Option<PathBuf>,
    /// A PIN that the command itself has chosen.
    pub chosen_pin: Option<Secret<String>>,
    pub terminal: Option<PathBuf>,
    pub terminal_key: Option<PathBuf>,
    pub seed: Option<u64>,
}

/// The switches as clap sees them.
pub(in crate::doors::cli) fn arguments() -> Vec<Arg> {
    let switch = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).global(true).help_heading("Everywhere")
    };
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .help(help)
            .global(true)
            .action(ArgAction::SetTrue)
            .help_heading("Everywhere")
    };
    let path = |arg: Arg| arg.value_parser(value_parser!(PathBuf));
    let effects = PossibleValuesParser::new(Effect::ALL.iter().map(|effect| effect.word()));
    vec![
        switch(
            "reader",
            "ADDRESS",
            "Where the card is: sim:PROFILE, sim:FILE.toml, sim:FILE.card, wallet:DIR, replay:FILE, \
             pcsc, pcsc:NAME-PART, pn532:DEVICE, pn532:pcsc:NAME-PART; \
             a fresh simulated card where nothing is named",
        )
        .env("CARDWRIGHT_READER"),
        switch("interface", "INTERFACE", "How a simulated card is reached")
            .value_parser(["contact", "contactless"]),
        switch(
            "sam",
            "ADDRESS",
            "Where the terminal's security module is, which purses are paid with: sim:psam, pcsc:NAME-PART",
        ),
        switch("host", "ADDRESS", "Who authorises: local, or tcp:HOST:PORT").default_value("local"),
        path(switch(
            "terminal-key",
            "FILE",
            "Who the terminal is to a remote host; else terminal.key in the folder of --state",
        )),
        switch("store", "ADDRESS", "The issuer's books: sqlite:FILE, postgres://... or memory"),
        path(switch("seal-key", "FILE", "The key that seals books and card files; else one beside them")),
        path(switch(
            "limits",
            "FILE.toml",
            "The issuer's limits, where its books are used; else those built in",
        )),
        path(switch("state", "DIR", "Where the terminal's journal is; else the user's state folder")),
        switch("allow", "EFFECT", "The worst that may be done to a real card that is not a test card")
            .value_parser(effects)
            .default_value("reads"),
        switch("wait", "SECONDS", "Waits for a card to be presented")
            .value_parser(value_parser!(u32).range(1..=86_400))
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value(WAIT_SECONDS),
        flag(
            "shared",
            "Lets other programs hold the card in a PC/SC reader, too; they wait until we are done",
        ),
        switch(
            "protocol",
            "PROTOCOL",
            "Speaks this one to a card by contact in a PC/SC reader, not the card's choice",
        )
        .value_parser(["t0", "t1"]),
        path(switch("save", "FILE.cwt", "Records the conversation, masked")),
        flag("unmask", "Shows and records card data as it is"),
        flag("json", "Prints one JSON object"),
        path(switch("pin-file", "FILE", "A file with the PIN, instead of asking")),
        path(switch("terminal", "FILE.toml", "The terminal's data")),
        switch("seed", "N", "A simulated clock and randomness from N, to repeat a run")
            .value_parser(value_parser!(u64)),
    ]
}

impl Switches {
    /// What was given; clap has checked the words.
    pub(in crate::doors::cli) fn of(matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let effect = |word: &str| Effect::ALL.iter().copied().find(|effect| effect.word() == word);
        let interface = |word: String| match word.as_str() {
            "contact" => Interface::Contact,
            _ => Interface::Contactless,
        };
        Self {
            reader: text("reader").filter(|reader| !reader.is_empty()),
            interface: text("interface").map(interface),
            host: text("host").unwrap_or_else(|| "local".into()),
            store: text("store"),
            seal_key: path("seal-key"),
            limits: path("limits"),
            state: path("state"),
            allow: text("allow").and_then(|word| effect(&word)).unwrap_or(Effect::Reads),
            wait: matches.get_one::<u32>("wait").map(|seconds| Duration::from_secs((*seconds).into())),
            shared: matches.get_flag("shared"),
            protocol: text("protocol").map(|word| if word == "t0" { Protocol::T0 } else { Protocol::T1 }),
            save: path("save"),
            unmask: matches.get_flag("unmask"),
            json: matches.get_flag("json"),
            sam: text("sam"),
            pin_file: path("pin-file"),
            chosen_pin: None,
            terminal: path("terminal"),
            terminal_key: path("terminal-key"),
            seed: matches.get_one::<u64>("seed").copied(),
        }
    }

    /// The reader that was named; `None` asks for a fresh card.
    pub(in crate::doors::cli) fn reader(&self) -> Result<Option<ReaderAddress>, Failure> {
        self.host()?;
        Ok(self.reader.as_deref().map(ReaderAddress::parse).transpose()?)
    }

    /// How a card in a reader is opened.
    pub(in crate::doors::cli) fn options(&self) -> ReaderOptions {
        ReaderOptions { wait: self.wait, is_shared: self.shared, protocol: self.protocol }
    }

    /// The host.
    pub(in crate::doors::cli) fn host(&self) -> Result<HostAddress, Failure> {
        Ok(HostAddress::parse(&self.host)?)
    }

    /// The host that a command asks. A remote one has its own limits.
    pub(in crate::doors::cli) fn asked_host(&self) -> Result<HostAddress, Failure> {
        match (self.host()?, &self.limits) {
            (HostAddress::Tcp(_), Some(_)) => Err(Failure::Usage(
                "--limits is for the issuer's own books: name it to `cardwright host serve`, not with --host tcp:"
                    .into(),
            )),
            (host, _) => Ok(host),
        }
    }

    /// The terminal's data.
    pub(in crate::doors::cli) fn config(&self) -> Result<TerminalConfig, Failure> {
        let files = self.terminal_files()?;
        let Some(((path, text), keys)) = files.split_first() else { return Ok(TerminalConfig::default()) };
        let mut config = terminal_of(path, text)?;
        config.trust_files.clear();
        for (path, text) in keys {
            let trust = Trust::parse(text).map_err(|cause| Failure::Trust { path: path.clone(), cause })?;
            config.trust.extend(trust);
        }
        Ok(config)
    }

    /// The terminal's file, and the files of CA public keys that it names; none where it is
    /// the built-in one.
    pub(in crate::doors::cli) fn terminal_files(&self) -> Result<Vec<(PathBuf, String)>, Failure> {
        let Some(path) = &self.terminal else { return Ok(Vec::new()) };
        let text_of = |path: &Path| read_text(path).map_err(|cause| Failure::file("read", path, cause));
        let text = text_of(path)?;
        let keys = terminal_of(path, &text)?.trust_files;
        let mut files = vec![(path.clone(), text)];
        for name in keys {
            let file = path.parent().unwrap_or(Path::new("")).join(name);
            let text = text_of(&file)?;
            files.push((file, text));
        }
        Ok(files)
    }

    /// The issuer's rules, with the limits that were named.
    pub(in crate::doors::cli) fn rules(&self) -> Result<Rules, Failure> {
        let Some(path) = &self.limits else { return Ok(Rules::default()) };
        let text = read_text(path).map_err(|cause| Failure::file("read", path, cause))?;
        let limits =
            Limits::parse(&text).map_err(|cause| Failure::Usage(format!("{}: {cause}", path.display())))?;
        Ok(Rules { limits, ..Rules::default() })
    }

    /// The PIN of the PIN file, if one is named, or the one that the command has chosen.
    pub(in crate::doors::cli) fn pin(&self) -> Result<Option<Secret<String>>, Failure> {
        match &self.pin_file {
            Some(path) => Ok(Some(pin_of(path)?)),
            None => Ok(self.chosen_pin.clone()),
        }
    }

    /// Clock and randomness.
    pub(in crate::doors::cli) fn context(&self, events: impl EventSink + 'static) -> Context {
        match self.seed {
            Some(seed) => Context::simulated(seed, events),
            None => Context::system(events),
        }
    }
}

fn terminal_of(path: &Path, text: &str) -> Result<TerminalConfig, Failure> {
    TerminalConfig::parse(text).map_err(|cause| Failure::Config { path: path.into(), cause })
}

/// The PIN or passcode of a file: 4 to 12 digits on a line of its own.
pub(in crate::doors::cli) fn pin_of(path: &Path) -> Result<Secret<String>, Failure> {
    let text = read_text(path).map_err(|cause| Failure::file("read", path, cause))?;
    let text = Secret::new(text);
    let pin = Secret::new(text.expose().trim().to_owned());
    match is_pin(pin.expose()) {
        true => Ok(pin),
        false => Err(Failure::Usage(format!(
            "{}: expected a PIN of 4 to 12 digits and nothing else in this file",
            path.display()
        ))),
    }
}

/// Whether a text is a PIN.
pub(in crate::doors::cli) fn is_pin(text: &str) -> bool {
    (4..=12).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
}
