//! A line on standard error that says how far a long run has come.

use std::io::{IsTerminal, Write};

/// Width of the bar.
const BAR: usize = 30;
/// Steps of a run whose line goes to a file: a line each.
const LINES: usize = 10;

/// The line. On a terminal it is drawn over itself.
pub(in crate::doors::cli) struct Progress {
    what: &'static str,
    terminal: bool,
    is_quiet: bool,
    drawn: Option<usize>,
}

impl Progress {
    /// A line that counts `what`.
    pub(in crate::doors::cli) fn new(what: &'static str) -> Self {
        Self { what, terminal: std::io::stderr().is_terminal(), is_quiet: false, drawn: None }
    }

    /// A line beside a command that says a line of its own for each: it is drawn on a
    /// terminal alone.
    pub(in crate::doors::cli) fn beside_lines(what: &'static str) -> Self {
        Self { is_quiet: !std::io::stderr().is_terminal(), ..Self::new(what) }
    }

    /// Takes the line off a terminal, so that something else can be said there.
    pub(in crate::doors::cli) fn clear(&mut self) {
        if self.terminal && self.drawn.take().is_some() {
            // Nobody may be listening there.
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    /// So many are done, of so many.
    pub(in crate::doors::cli) fn show(&mut self, done: usize, all: usize, remark: &str) {
        let steps = if self.terminal { 1000 } else { LINES };
        let step = done * steps / all.max(1);
        if self.drawn == Some(step) || self.is_quiet {
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
