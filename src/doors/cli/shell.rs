//! `cardwright shell`: a conversation with a card, line by line.

mod completion;
mod history;
mod input;
mod telling;

use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use super::shared::scene::{Scene, Want};
use crate::air::link::{Card, Interface, LinkError};
use crate::base::bytes::Hex;
use crate::observers::script::{Said, Session, SessionTrouble, Unattended};
use crate::words::decode::COMMAND_ROOMS;
use crate::words::iso7816::{CommandRow, Effect};
use crate::world::{ReaderAddress, Seat, WorldError};
use input::Input;
use telling::Teller;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "shell",
    about: "Talks to a card line by line: commands in words or as bytes, answers taken apart",
    effect: Some(Effect::Destroys),
    arguments: |line| {
        no_arguments(line).after_long_help(
            "A line is one of a script (apdu-scripts/GRAMMAR.md): SELECT A000000333010106, GET DATA 9F79, 80CA9F7900, \
             expect 9F79 >= 10.00, reset. `help` lists them, the tab key completes commands, names and tags. What a \
             command may do to a real card is bound by --allow, command by command. Lines may come from a pipe; with \
             --json each is answered with one object.",
        )
    },
    run: Run::Alone(run),
};

/// What can be typed besides commands.
const HELP: &str = "\
a command as bytes:   80CA9F7900
a command in words:   select 2PAY.SYS.DDF01, get data 9F79, read record 1 1; `help COMMAND` says more
what came is asked:   expect 9F79 >= 10.00, capture b = 9F79 amount, expect $b = 100.00
the terminal's data:  set 9F02 = 12.50, let key = udk(...)
and:                  reset, help, exit
";

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    call.output.in_lines();
    let Scene { stage, mut context, recording, place, .. } = open(call)?;
    let mut seat = Seat::before(stage.card, &stage.config, &mut context);
    let known = seat.card.activation();
    call.output.say(&format!("{place}, {}, ATR {:#}\n", known.interface, Hex(&known.atr)));
    let mut input = Input::open(&call.switches)?;
    if input.is_typed() {
        call.output.say("`help` lists what can be typed, the tab key completes; `exit` or Ctrl-D ends\n");
    }
    let attendant = Unattended::default();
    let mut session = Session::new(&mut seat, &attendant, &mut context);
    let mut teller = Teller::new(call.switches.unmask);
    let mut exit = Exit::Done;
    while let Some(line) = input.next_line()? {
        match line.split_once(char::is_whitespace).unwrap_or((&line, "")) {
            ("", _) => continue,
            ("help", about) => {
                call.output.say(&help(about.trim()));
                continue;
            }
            _ => {}
        }
        let said = session.line(&line);
        teller.tell(&said, &mut call.output);
        input.keep(&line, &said);
        // What a person has mistyped is no failure of the shell.
        if !input.is_typed() {
            exit = exit.max(verdict(&said));
        }
        if said.is_over || !call.output.is_heard() {
            break;
        }
    }
    recording.check()?;
    Ok(exit)
}

/// Opens the card. One of our own test range may be asked anything; another one what is allowed.
fn open(call: &mut Call<'_>) -> Result<Scene, Failure> {
    let want = |effect| Want { command: "shell", interface: Interface::Contactless, effect, money: false };
    let is_simulated = !matches!(call.switches.reader()?, Some(ReaderAddress::Driver { .. }));
    let allowed = if is_simulated { Effect::Destroys } else { call.switches.allow };
    match Scene::open(call, want(Effect::Destroys)) {
        Err(Failure::World(WorldError::Link(LinkError::NotAllowed { .. }))) => {
            call.output.note(format!(
                "This is no test card of ours: commands that do more than --allow {allowed} are refused."
            ));
            Scene::open(call, want(allowed))
        }
        opened => opened,
    }
}

/// How a line from a pipe counts.
fn verdict(said: &Said) -> Exit {
    match &said.trouble {
        Some(SessionTrouble::Line(_)) => Exit::Usage,
        Some(SessionTrouble::Refused(_)) => Exit::Declined,
        Some(SessionTrouble::Card(_)) => Exit::Transport,
        None if said.failures.is_empty() => Exit::Done,
        None => Exit::Declined,
    }
}

/// What can be typed; of one command, how it is written.
fn help(about: &str) -> String {
    let rows = || COMMAND_ROOMS.iter().flat_map(|room| room.iter());
    let called = |row: &&CommandRow| {
        row.name.eq_ignore_ascii_case(about)
            || row.short_name.is_some_and(|name| name.eq_ignore_ascii_case(about))
    };
    match rows().find(called) {
        Some(row) => usage(row),
        None => {
            let names: Vec<&str> = rows().map(|row| row.short_name.unwrap_or(row.name)).collect();
            format!("{HELP}commands:             {}\n", names.join(", "))
        }
    }
}

fn usage(row: &CommandRow) -> String {
    let mut text = format!("{} ({})\n", row.name, row.clause);
    for parameter in row.parameters {
        let optional = if parameter.optional { ", may be left out" } else { "" };
        text.push_str(&format!("  {}: {}{optional}\n", parameter.name, parameter.kind));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_knows_every_command_by_both_names() {
        assert!(help("").contains("GPO") && help("").contains("VERIFY"));
        assert!(help("get data").starts_with("GET DATA (") && help("get data").contains("tag: "));
        assert_eq!(help("gpo"), help("GET PROCESSING OPTIONS"));
    }
}
