//! `cardwright pcsclite`: runs a program whose PC/SC readers are simulated cards, and
//! speaks to one that runs so.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use crate::world::{CardName, StoreAddress};
use clap::{Arg, ArgAction, value_parser};
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "pcsclite",
    about: "Runs a program whose PC/SC readers are simulated cards: no reader, no daemon, no root",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

const MORE: &str = "\
The program finds our libpcsclite.so.1 by LD_LIBRARY_PATH; its exit code is the exit code.
--reader takes a list of seats, with commas between them: sim:PROFILE, sim:FILE.toml,
sim:FILE.card, wallet:DIR, or empty. They are named Cardwright 00 00, Cardwright 01 00, ...

  cardwright pcsclite -- opensc-tool --atr
  cardwright pcsclite --reader sim:ecash,empty --control /tmp/cards -- pytest
  cardwright pcsclite --control /tmp/cards --ask '{\"do\": \"pull\", \"exchange\": 2, \"at\": \"answer-lost\"}'

A socket takes a JSON object a line: insert, remove, swap, pull, delay, answer, mute, forget,
host, readers, card, events. The README has them all.";

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("control")
            .long("control")
            .value_name("SOCKET")
            .value_parser(value_parser!(PathBuf))
            .help("Where the program takes requests while it runs, a Unix socket"),
    )
    .arg(
        Arg::new("ask")
            .long("ask")
            .value_name("JSON")
            .action(ArgAction::Append)
            .requires("control")
            .conflicts_with("COMMAND")
            .help("Sends a request to a program that runs already; with --wait, once it does"),
    )
    .arg(
        Arg::new("library")
            .long("library")
            .value_name("FILE")
            .env("CARDWRIGHT_PCSCLITE")
            .value_parser(value_parser!(PathBuf))
            .help("The library; else the one beside this program"),
    )
    .arg(
        Arg::new("COMMAND")
            .last(true)
            .num_args(1..)
            .required_unless_present("ask")
            .value_parser(value_parser!(std::ffi::OsString))
            .help("The program and its arguments"),
    )
    .after_help(MORE)
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    // What is wrong with them is told here, where it can be told well.
    call.switches.reader.as_deref().map(CardName::parse_seats).transpose()?;
    call.switches.store.as_deref().map(StoreAddress::parse).transpose()?;
    here::run(call)
}

#[cfg(not(target_os = "linux"))]
mod here {
    use super::{Call, Exit, Failure};

    pub(super) fn run(_: &mut Call<'_>) -> Result<Exit, Failure> {
        Err(Failure::Usage("the drop-in PC/SC library is for Linux".into()))
    }
}

#[cfg(target_os = "linux")]
mod here {
    use super::{Call, Exit, Failure};
    use crate::air::link::{Interface, LinkError, ask_lines};
    use serde_json::{Value, json};
    use std::ffi::{OsStr, OsString};
    use std::os::unix::fs::symlink;
    use std::os::unix::process::CommandExt;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::Duration;

    /// What programs look for.
    const LIBRARY: &str = "libpcsclite.so.1";

    /// How often a socket is looked for.
    const LOOK: Duration = Duration::from_millis(20);

    pub(super) fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
        let control = call.arguments.get_one::<PathBuf>("control");
        let control = control.map(|path| absolute(path)).transpose()?;
        match (call.arguments.get_many::<OsString>("COMMAND"), control) {
            (Some(words), control) => {
                let words: Vec<&OsString> = words.collect();
                Err(replace_by(call, &words, control.as_deref()))
            }
            (None, Some(control)) => ask(call, &control),
            (None, None) => Err(Failure::Usage("expected a program after --".into())),
        }
    }

    /// Becomes the program; comes back only with what failed.
    fn replace_by(call: &Call<'_>, words: &[&OsString], control: Option<&Path>) -> Failure {
        let Some((program, arguments)) = words.split_first() else {
            return Failure::Usage("expected a program after --".into());
        };
        let prepared = folder(call).and_then(|folder| {
            let mut paths = folder.into_os_string();
            if let Some(before) = std::env::var_os("LD_LIBRARY_PATH").filter(|paths| !paths.is_empty()) {
                paths.push(":");
                paths.push(before);
            }
            let mut command = Command::new(program);
            command.args(arguments).env("LD_LIBRARY_PATH", paths);
            tell(call, control, &mut command)?;
            Ok(command)
        });
        match prepared {
            Ok(mut command) => Failure::file("run", Path::new(program), command.exec()),
            Err(failure) => failure,
        }
    }

    /// Hands the switches on to the library.
    fn tell(call: &Call<'_>, control: Option<&Path>, command: &mut Command) -> Result<(), Failure> {
        let switches = &call.switches;
        let mut set = |name: &str, value: Option<&OsStr>| {
            if let Some(value) = value {
                command.env(name, value);
            }
        };
        set("CARDWRIGHT_READER", switches.reader.as_deref().map(OsStr::new));
        set("CARDWRIGHT_CONTROL", control.map(Path::as_os_str));
        set("CARDWRIGHT_STORE", switches.store.as_deref().map(OsStr::new));
        let seal = switches.seal_key.as_deref().map(absolute).transpose()?;
        set("CARDWRIGHT_SEAL_KEY", seal.as_deref().map(Path::as_os_str));
        let interface = switches.interface.map(|interface| match interface {
            Interface::Contact => "contact",
            Interface::Contactless => "contactless",
        });
        set("CARDWRIGHT_INTERFACE", interface.map(OsStr::new));
        let seed = switches.seed.map(|seed| seed.to_string());
        set("CARDWRIGHT_SEED", seed.as_deref().map(OsStr::new));
        Ok(())
    }

    /// The folder in which a program finds the library under its name.
    fn folder(call: &Call<'_>) -> Result<PathBuf, Failure> {
        let library = match call.arguments.get_one::<PathBuf>("library") {
            Some(named) if named.is_file() => absolute(named)?,
            Some(named) => {
                let missing = format!("there is no library {}: check --library", named.display());
                return Err(Failure::Usage(missing));
            }
            None => beside_this_program()?,
        };
        let folder = library.parent().unwrap_or(Path::new("/")).to_path_buf();
        if library.file_name() == Some(OsStr::new(LIBRARY)) {
            return Ok(folder);
        }
        // As cargo names it: beside it, a folder of its own with the name that programs know.
        let folder = folder.join("pcsclite");
        let failed = |cause| Failure::file("make", &folder, cause);
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let link = folder.join(LIBRARY);
        if std::fs::read_link(&link).ok().as_deref() != Some(&library) {
            let _ = std::fs::remove_file(&link);
            match symlink(&library, &link) {
                // Another of us was faster.
                Err(cause) if cause.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed(cause)),
                _ => {}
            }
        }
        Ok(folder)
    }

    /// Where the library is in an archive of ours, and where cargo puts it.
    fn beside_this_program() -> Result<PathBuf, Failure> {
        let program =
            std::env::current_exe().map_err(|cause| Failure::file("find", Path::new("/proc"), cause))?;
        let here = program.parent().unwrap_or(Path::new("/"));
        let places = [here.join("../lib/cardwright").join(LIBRARY), here.join("examples/libpcsclite.so")];
        places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
            Failure::Usage(format!(
                "the drop-in PC/SC library is not there: looked for {}. In a checkout, build it with \
                 `cargo build --example pcsclite` (and --release, if this program was); elsewhere name it \
                 with --library FILE",
                places.map(|place| place.display().to_string()).join(" and ")
            ))
        })
    }

    /// Sends requests to a program that runs.
    fn ask(call: &mut Call<'_>, control: &Path) -> Result<Exit, Failure> {
        let lines: Vec<String> = call.texts("ask").map(|line| line.replace('\n', " ")).collect();
        let rounds = call.switches.wait.map_or(0, |wait| wait.as_millis() / LOOK.as_millis());
        for _ in 0..rounds {
            if ask_lines(control, &[]).is_ok() {
                break;
            }
            std::thread::sleep(LOOK);
        }
        let answers = ask_lines(control, &lines)?;
        answers.iter().for_each(|answer| call.output.say(&format!("{answer}\n")));
        let told = answers.iter().map(|answer| serde_json::from_str(answer));
        let told: Vec<Value> = told.collect::<Result<_, _>>().map_err(|cause| LinkError::Io {
            doing: format!("reading the answer of {}", control.display()),
            cause: cause.to_string(),
        })?;
        let done = told.iter().all(|answer| answer["ok"] == json!(true));
        call.output.tell("answers", Value::Array(told));
        Ok(if done { Exit::Done } else { Exit::Declined })
    }

    /// A path that stays the same where the program goes to another folder.
    fn absolute(path: &Path) -> Result<PathBuf, Failure> {
        std::path::absolute(path).map_err(|cause| Failure::file("find", path, cause))
    }
}
