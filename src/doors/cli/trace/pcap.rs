//! `cardwright trace pcap`: a recording as a capture for Wireshark.

use super::shared::file;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "pcap",
    about: "Makes a capture (pcapng) that Wireshark opens; examples/wireshark/emv.lua decodes its data objects",
    effect: None,
    arguments: |line| file::argument(line).arg(file::out("pcapng")),
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let trace = file::open(call)?;
    file::write(call, "pcapng", &trace.to_pcapng())?;
    Ok(Exit::Done)
}
