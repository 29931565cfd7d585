//! `--jobs ADDRESS`: the store through which other machines are given work.

use super::command::Call;
use super::failure::Failure;
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::observers::campaign::Patience;
use crate::observers::campaign::queue::Queue;
use crate::world::{StoreAddress, store_db};
use clap::{Arg, value_parser};
use std::path::Path;
use std::time::Duration;

/// How long a submitter waits for an agent, where nobody says.
const IDLE_SECONDS: u64 = 600;

/// `--jobs` and `--patience`, of a command that submits.
pub(in crate::doors::cli) fn submit_arguments() -> [Arg; 2] {
    [
        jobs_argument(
            "Has it played by agents on other machines (see `cardwright agent`): postgres://..., or \
             sqlite:FILE on this one",
        ),
        Arg::new("patience")
            .long("patience")
            .value_name("SECONDS")
            .requires("jobs")
            .value_parser(value_parser!(u64).range(1..))
            .help("Ends when no agent has played anything for so long; else after 600"),
    ]
}

/// `--jobs`.
pub(in crate::doors::cli) fn jobs_argument(help: &'static str) -> Arg {
    Arg::new("jobs").long("jobs").value_name("ADDRESS").help(help)
}

/// The jobs of `--jobs`; `None` where all is played here.
pub(in crate::doors::cli) fn queue(call: &Call<'_>) -> Result<Option<Queue>, Failure> {
    let Some(text) = call.text("jobs") else { return Ok(None) };
    let store = StoreAddress::parse(text)?;
    if store == StoreAddress::Memory {
        return Err(Failure::Usage(
            "--jobs names a store that others see: postgres://..., or sqlite:FILE on this machine".into(),
        ));
    }
    Ok(Some(Queue::open(store_db(&store)?).map_err(Failure::suite)?))
}

/// How a submitter waits.
pub(in crate::doors::cli) fn patience(call: &Call<'_>) -> Patience {
    let seconds = call.arguments.get_one::<u64>("patience").copied().unwrap_or(IDLE_SECONDS);
    Patience { submitter: process_name(), idle: Duration::from_secs(seconds) }
}

/// This process as others see it: machine, process, and a mark that no later process of
/// that number has.
pub(in crate::doors::cli) fn process_name() -> String {
    let host = crate::world::read_text(Path::new("/proc/sys/kernel/hostname"));
    let host = host.map_or_else(|_| "machine".into(), |text| text.trim().to_owned());
    let [a, b] = Context::system(Discard).random::<2>();
    format!("{host}:{}:{a:02x}{b:02x}", std::process::id())
}
