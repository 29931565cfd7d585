//! `cardwright doctor`: what stands in the way of a reader, and what to do.

use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use crate::air::link::diagnosis::{Finding, Grade, Surroundings, diagnose};
use crate::world::ReaderAddress;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "doctor",
    about: "Looks for what stands in the way of a reader, and says what to do; changes nothing",
    effect: None,
    arguments: |line| {
        no_arguments(line).after_long_help(
            "Looks at the PC/SC library and daemon, at readers on USB and who holds them, and at serial devices. With \
             --reader pn532:DEVICE the device is asked for a PN532 at each of its speeds. Exit code 4 where something \
             is in the way.",
        )
    },
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut found = diagnose(&Surroundings::here());
    if let Some(address) = call.switches.reader()? {
        found.extend(named(&address)?);
    }
    for finding in &found {
        call.output.say(&format!("{:<8} {}\n", finding.grade, finding.what));
        if let Some(remedy) = &finding.remedy {
            call.output.say(&format!("{:8} -> {remedy}\n", ""));
        }
    }
    let troubles = found.iter().filter(|finding| finding.grade == Grade::Trouble).count();
    call.output.say(&match troubles {
        0 => "nothing is in the way\n".to_owned(),
        1 => "1 thing is in the way\n".to_owned(),
        more => format!("{more} things are in the way\n"),
    });
    let value = |finding: &Finding| {
        let Finding { grade, kind, what, remedy } = finding;
        json!({ "grade": grade.to_string(), "kind": kind, "what": what, "remedy": remedy })
    };
    call.output.tell("findings", json!(found.iter().map(value).collect::<Vec<_>>()));
    call.output.tell("troubles", json!(troubles));
    Ok(if troubles == 0 { Exit::Done } else { Exit::Transport })
}

/// What is found at a device that the user names, and that may be asked so.
fn named(address: &ReaderAddress) -> Result<Option<Finding>, Failure> {
    match address {
        #[cfg(feature = "serial")]
        ReaderAddress::Driver { scheme, rest } if scheme == "pn532" && !rest.starts_with("pcsc:") => {
            Ok(Some(crate::air::link::diagnosis::probe_speed(rest)))
        }
        // Whatever is behind PC/SC was looked at, and a simulated card needs nothing.
        _ => Ok(None),
    }
}
