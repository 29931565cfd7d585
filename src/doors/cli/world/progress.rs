//! A line on standard error that says how far a long run has come, and the
//! arguments that such runs share.

use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::world::Rule;
use clap::builder::PossibleValuesParser;
use clap::{Arg, value_parser};
use std::io::{IsTerminal, Write};

/// Width of the bar.
const BAR: usize = 30;
/// Steps of a run whose line goes to a file: a line each.
const LINES: usize = 10;

/// The line. On a terminal it is drawn over itself.
pub(in crate::doors::cli) struct Progress {
    what: &'static str,
    terminal: bool,
    drawn: Option<usize>,
}

impl Progress {
    /// A line that counts `what`.
    pub(in crate::doors::cli) fn new(what: &'static str) -> Self {
        Self { what, terminal: std::io::stderr().is_terminal(), drawn: None }
    }

    /// So many are done, of so many.
    pub(in crate::doors::cli) fn show(&mut self, done: usize, all: usize, remark: &str) {
        let steps = if self.terminal { 1000 } else { LINES };
        let step = done * steps / all.max(1);
        if self.drawn == Some(step) {
            return;
        }
        self.drawn = Some(step);
        let percent = done * 100 / all.max(1);
        let full = done * BAR / all.max(1);
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(BAR.saturating_sub(full)));
        let (begin, end) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        // Nobody may be listening there.
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "{begin}[{bar}] {percent:>3} %  {done} of {all} {}{remark}{end}", self.what);
        let _ = stderr.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.drawn.is_some() {
            let _ = writeln!(std::io::stderr());
        }
    }
}

/// `--without RULE`.
pub(in crate::doors::cli) fn without_argument() -> Arg {
    Arg::new("without")
        .long("without")
        .value_name("RULE")
        .value_parser(PossibleValuesParser::new(Rule::all().map(Rule::word)))
        .help("Switches one rule of recovery off, to see what goes wrong without it")
}

/// `--jobs N`.
pub(in crate::doors::cli) fn jobs_argument() -> Arg {
    Arg::new("jobs")
        .long("jobs")
        .value_name("N")
        .value_parser(value_parser!(u16).range(1..=1024))
        .help("How many are played at once; else one for each processor")
}

/// The rule that is switched off.
pub(in crate::doors::cli) fn without(call: &Call<'_>) -> Result<Option<Rule>, Failure> {
    let unknown = |word: &str| Failure::Usage(format!("expected a rule after --without, found {word:?}"));
    call.text("without").map(|word| Rule::from_word(word).ok_or_else(|| unknown(word))).transpose()
}

/// How many are played at once.
pub(in crate::doors::cli) fn jobs(call: &Call<'_>) -> usize {
    match call.arguments.get_one::<u16>("jobs") {
        Some(jobs) => usize::from(*jobs),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}
