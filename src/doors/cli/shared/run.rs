//! The way in: arguments to a command, a result to an exit code.

use super::command::{Call, Command, Run};
use super::failure::Failure;
use super::output::Output;
use super::switches::{self, Switches};
use crate::doors::cli::COMMANDS;
use crate::words::iso7816::Effect;
use clap::ArgMatches;
use std::ffi::OsString;
use std::process::ExitCode;

/// What stands below the help text.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 declined or refused; 2 usage or parse; \
                          3 an invariant is broken; 4 transport; 5 recovery is due.";

/// Runs the command line with these arguments, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let matches = match line().try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(told) if told.use_stderr() && wants_json(&arguments) => {
            let text = told.render().to_string();
            let text = text.trim().trim_start_matches("error: ").to_owned();
            let output = Output::new(&called(COMMANDS, &arguments), true);
            return ExitCode::from(output.finish(Err(Failure::Usage(text))) as u8);
        }
        Err(told) => {
            // Help and version come this way too; a closed pipe is no matter.
            let _ = told.print();
            return ExitCode::from(if told.use_stderr() { 2 } else { 0 });
        }
    };
    ExitCode::from(dispatch(COMMANDS, &matches, ""))
}

/// Whether a line that clap refuses asks for JSON.
fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// The command that a line that clap refuses names, as far as it names one.
fn called(commands: &[Command], arguments: &[OsString]) -> String {
    let mut words = arguments.iter();
    let named = words.find_map(|word| commands.iter().find(|command| *word == *command.name));
    match named {
        None => String::new(),
        Some(Command { name, run: Run::OneOf(below), .. }) => {
            format!("{name} {}", called(below, words.as_slice())).trim_end().to_owned()
        }
        Some(command) => command.name.to_owned(),
    }
}

/// The whole command line as clap sees it; a man page and completions are made of it.
pub fn line() -> clap::Command {
    let line = clap::Command::new("cardwright")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Plays every side of a payment or transit card transaction: terminal, card, issuer")
        .after_help(EXIT_CODES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .args(switches::arguments());
    COMMANDS.iter().fold(line, |line, command| line.subcommand(sub_line(command)))
}

fn sub_line(command: &Command) -> clap::Command {
    let line = (command.arguments)(clap::Command::new(command.name).about(command.about));
    let line = match command.effect {
        Some(effect) => line.after_help(format!("Effect on a card: {effect}.")),
        None => line,
    };
    match &command.run {
        Run::Alone(_) => line,
        Run::OneOf(commands) => {
            let line =
                line.subcommand_required(true).arg_required_else_help(true).disable_help_subcommand(true);
            commands.iter().fold(line, |line, command| line.subcommand(sub_line(command)))
        }
    }
}

fn dispatch(commands: &[Command], matches: &ArgMatches, before: &str) -> u8 {
    let called = matches.subcommand();
    let found = called.and_then(|(name, below)| Some((commands.iter().find(|c| c.name == name)?, below)));
    // clap has refused every other name.
    let Some((command, below)) = found else { return 2 };
    let name = format!("{before}{}", command.name);
    match &command.run {
        Run::OneOf(commands) => dispatch(commands, below, &format!("{name} ")),
        Run::Alone(run) => {
            let switches = Switches::of(below);
            let output = Output::new(&name, switches.json);
            let effect = command.effect.unwrap_or(Effect::Reads);
            let mut call = Call { arguments: below, switches, output, effect };
            let result = run(&mut call);
            call.output.finish(result) as u8
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        line().debug_assert();
    }

    #[test]
    fn a_negative_amount_reaches_its_parser() {
        for text in ["-5", "-5.00", "-0.5"] {
            let matches = line().try_get_matches_from(["cardwright", "load", text]).unwrap();
            let amount = matches.subcommand().unwrap().1.get_one::<String>("AMOUNT").unwrap();
            assert_eq!(amount, text);
        }
    }
}
