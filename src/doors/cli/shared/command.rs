//! A row of the registry, and what a command is given.

use super::failure::{Exit, Failure};
use super::output::Output;
use super::switches::Switches;
use crate::words::iso7816::Effect;
use clap::ArgMatches;

/// A command of the command line.
pub(in crate::doors::cli) struct Command {
    /// Its name.
    pub name: &'static str,
    /// What it is for, one line.
    pub about: &'static str,
    /// The worst that it does to a card; `None` where it talks to none.
    pub effect: Option<Effect>,
    /// Adds its own arguments.
    pub arguments: fn(clap::Command) -> clap::Command,
    /// What it does.
    pub run: Run,
}

/// What a command does.
pub(in crate::doors::cli) enum Run {
    /// Its own work.
    Alone(fn(&mut Call<'_>) -> Result<Exit, Failure>),
    /// One of its commands.
    OneOf(&'static [Command]),
}

/// A command that was called.
pub(in crate::doors::cli) struct Call<'a> {
    /// Its own arguments.
    pub arguments: &'a ArgMatches,
    /// The switches that every command has.
    pub switches: Switches,
    /// Where it speaks.
    pub output: Output,
    /// The worst that it does to a card.
    pub effect: Effect,
}

impl Call<'_> {
    /// The text of an argument.
    pub(in crate::doors::cli) fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get_one::<String>(name).map(String::as_str)
    }

    /// The texts of an argument that may come more than once.
    pub(in crate::doors::cli) fn texts(&self, name: &str) -> impl Iterator<Item = &String> {
        self.arguments.get_many::<String>(name).unwrap_or_default()
    }

    /// Whether a flag is set.
    pub(in crate::doors::cli) fn flag(&self, name: &str) -> bool {
        self.arguments.get_flag(name)
    }
}

/// For a command without arguments of its own.
pub(in crate::doors::cli) fn no_arguments(line: clap::Command) -> clap::Command {
    line
}
