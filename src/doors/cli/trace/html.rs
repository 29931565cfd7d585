//! `cardwright trace html`: a recording as a page for a browser.

use super::shared::file;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::report::trace_page;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "html",
    about: "Makes one page for a browser, without network: every exchange to the bit, every decision with its reason",
    effect: None,
    arguments: |line| file::argument(line).arg(file::out("html")),
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let trace = file::open(call)?;
    file::write(call, "html", trace_page(&trace).as_bytes())?;
    Ok(Exit::Done)
}
