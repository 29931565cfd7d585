//! `cardwright watch`: readers and cards as they come and go.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::recording::Recording;
use super::shared::scene::{Scene, Want};
use crate::air::link::{Card, Interface, RadioIdentity, Seen, Sighting};
use crate::base::context::Context;
use crate::observers::report::{card_facts_json, card_facts_text, sighting_json, sighting_text};
use crate::roles::terminal::{Depth, TerminalConfig, read};
use crate::words::iso7816::{Atr, Effect};
use crate::world::{ReaderAddress, Watch, WorldError};
use clap::{Arg, ArgAction, value_parser};
use serde_json::{Value, json};
use std::time::Duration;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "watch",
    about: "Shows readers and cards as they come and go",
    effect: Some(Effect::Reads),
    arguments,
    run: Run::Alone(run),
};

/// The readers that are watched where none is named.
const ALL: &str = "pcsc";
/// The longest single look, so that an end that was asked for is not late.
const LOOK: Duration = Duration::from_millis(250);

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("read")
            .long("read")
            .action(ArgAction::SetTrue)
            .help("Reads each card that comes, as `cardwright read` does; that spends nothing"),
    )
    .arg(
        Arg::new("count")
            .long("count")
            .value_name("N")
            .value_parser(value_parser!(u32).range(1..))
            .help("Ends after so many cards have come; exit code 4 where fewer came within --for"),
    )
    .arg(
        Arg::new("for")
            .long("for")
            .value_name("SECONDS")
            .value_parser(value_parser!(u32).range(1..=86_400))
            .help("Ends after so long; without it and --count, Ctrl-C ends it"),
    )
    .after_long_help(
        "Watches --reader, by default every reader behind the PC/SC daemon; with --json one object a line. A card \
         on radio is named by its UID, masked, which the reader is asked for.",
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    if call.switches.save.is_some() {
        return Err(Failure::Usage(
            "--save is for one card: `cardwright read --wait --save FILE.cwt` waits for it and records it"
                .into(),
        ));
    }
    call.output.in_lines();
    let address = ReaderAddress::parse(call.switches.reader.as_deref().unwrap_or(ALL))?;
    match Watch::open(&address)? {
        Some(watch) => watch_on(call, watch),
        None => simulated(call),
    }
}

/// What is being watched, and what for.
struct Session {
    watch: Watch,
    config: TerminalConfig,
    context: Context,
}

fn watch_on(call: &mut Call<'_>, watch: Watch) -> Result<Exit, Failure> {
    let context = call.switches.context(Recording::default());
    let mut session = Session { watch, config: call.switches.config()?, context };
    let wanted = call.arguments.get_one::<u32>("count").copied();
    let limit = call.arguments.get_one::<u32>("for").map(|seconds| Duration::from_secs((*seconds).into()));
    let end = limit.map(|limit| session.context.now().plus(limit));
    let mut cards = 0;
    // Who waits for nothing in particular is told that the watch has begun.
    call.output.say("watching; Ctrl-C ends it\n");
    while call.output.is_heard() && wanted != Some(cards) {
        if end.is_some_and(|end| session.context.now() >= end) {
            break;
        }
        for sighting in session.watch.look(LOOK)? {
            if wanted == Some(cards) {
                break;
            }
            cards += u32::from(matches!(sighting.seen, Seen::Card { .. }));
            session.tell(call, &sighting);
        }
    }
    call.output.tell("cards", json!(cards));
    Ok(if wanted.is_some_and(|wanted| cards < wanted) { Exit::Transport } else { Exit::Done })
}

impl Session {
    fn tell(&mut self, call: &mut Call<'_>, sighting: &Sighting) {
        let at = self.context.now();
        let looked = match &sighting.seen {
            Seen::Card { atr } if call.flag("read") || is_contactless(atr) => {
                self.look_at(call, &sighting.reader).map(Some)
            }
            _ => Ok(None),
        };
        let unmask = call.switches.unmask;
        let Looked { radio, facts } = match looked {
            Ok(looked) => looked.unwrap_or_default(),
            Err(error) => Looked { radio: None, facts: Some(Err(error.to_string())) },
        };
        call.output.say(&sighting_text(at, sighting, radio.as_ref(), unmask));
        let mut line = sighting_json(at, sighting, radio.as_ref(), unmask);
        match facts {
            None => {}
            Some(Ok((text, value))) => {
                call.output.say(&text);
                line["card"] = value;
            }
            // It was taken away, or is another program's: the next card may be read.
            Some(Err(error)) => {
                call.output.say(&format!("  not read: {error}\n"));
                line["error"] = json!(error);
            }
        }
        call.output.line(line);
    }

    fn look_at(&mut self, call: &Call<'_>, reader: &str) -> Result<Looked, WorldError> {
        let mut card = self.watch.open_card(reader, &mut self.context)?;
        let radio = card.radio_identity(&mut self.context)?;
        let facts = call.flag("read").then(|| {
            let facts = read(&mut card, &self.config, Depth::Quick, &mut self.context);
            let unmask = call.switches.unmask;
            facts
                .map(|facts| (card_facts_text(&facts, unmask), card_facts_json(&facts, unmask)))
                .map_err(|error| error.to_string())
        });
        Ok(Looked { radio, facts })
    }
}

/// Whether a reader has made up this answer to reset.
fn is_contactless(atr: &[u8]) -> bool {
    Atr::parse(atr).is_ok_and(|atr| atr.is_contactless())
}

/// What a look at a card has shown.
#[derive(Default)]
struct Looked {
    radio: Option<RadioIdentity>,
    /// The card as text and as data, where it was to be read.
    facts: Option<Result<(String, Value), String>>,
}

/// A simulated card neither comes nor goes: it is told once.
fn simulated(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let effect = Effect::Reads;
    let want = Want { command: "watch", interface: Interface::Contactless, effect, money: false };
    let mut scene = Scene::open(call, want)?;
    let unmask = call.switches.unmask;
    let known = scene.stage.card.activation();
    let sighting = Sighting { reader: scene.place.clone(), seen: Seen::Card { atr: known.atr.clone() } };
    let at = scene.context.now();
    call.output.say(&sighting_text(at, &sighting, None, unmask));
    let mut line = sighting_json(at, &sighting, None, unmask);
    if call.flag("read") {
        let facts = scene.stage.read(Depth::Quick, &mut scene.context)?;
        call.output.say(&card_facts_text(&facts, unmask));
        line["card"] = card_facts_json(&facts, unmask);
    }
    call.output.line(line);
    call.output.note("A simulated card stays where it is: nothing more is to be seen.");
    call.output.tell("cards", json!(1));
    Ok(Exit::Done)
}
