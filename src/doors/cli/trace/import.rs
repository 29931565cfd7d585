//! `cardwright trace import`: what another program wrote of a card, as a recording or a script.

use super::shared::file;
use crate::air::trace::{IMPORTERS, TraceError, import};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::report::trace_script;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "import",
    about: "Makes a recording, or a script, of what another program wrote of a card",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let rows = IMPORTERS.iter().map(|importer| format!("  {:<10}{}", importer.name, importer.about));
    let known = rows.collect::<Vec<_>>().join("\n");
    let from = Arg::new("from").long("from").value_name("PROGRAM");
    let names = PossibleValuesParser::new(IMPORTERS.iter().map(|importer| importer.name));
    let script = Arg::new("script").long("script").action(ArgAction::SetTrue);
    file::log_argument(line)
        .arg(from.value_parser(names).help("The program that wrote it; else it is guessed"))
        .arg(script.help("Makes a script, FILE.apdu, instead of a recording, FILE.cwt"))
        .arg(file::out("cwt"))
        .after_help(format!("Programs whose output is read:\n{known}"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (path, text) = file::read_log(call)?;
    let failed = |cause: TraceError| Failure::Trace { path: path.clone(), cause };
    let place = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (importer, trace) = import(&text, call.text("from"), &place).map_err(failed)?;
    let trace = if call.switches.unmask { trace } else { trace.masked() };
    call.output.note(format!(
        "{}: {} exchanges, read as {}",
        path.display(),
        trace.exchanges().len(),
        importer.about
    ));
    match call.flag("script") {
        true => file::write(call, "apdu", trace_script(&trace).as_bytes())?,
        false => file::write(call, "cwt", &trace.to_bytes().map_err(failed)?)?,
    }
    Ok(Exit::Done)
}
