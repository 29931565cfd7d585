//! The one service of a process: set up by the first context, with the socket of the hand.

use super::code::Code;
use super::control::Control;
use super::service::Service;
use super::setup::{Setup, SetupError};
use crate::air::link::{AnswerLine, LinkError, answer_lines};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once, OnceLock};

static SERVING: OnceLock<Option<Serving>> = OnceLock::new();
static LISTENING: Once = Once::new();

/// What was set up.
struct Serving {
    service: Service,
    control: Control,
    /// Where the socket of the hand is wanted.
    path: Option<PathBuf>,
}

/// The service; it is set up where this is the first use. What fails is told on standard
/// error, once, for a return code cannot say what to do.
pub(super) fn service() -> Result<&'static Service, Code> {
    let serving = SERVING.get_or_init(|| match set_up() {
        Ok(serving) => Some(serving),
        Err(error) => {
            eprintln!("cardwright: the simulated PC/SC readers cannot be set up: {error}");
            None
        }
    });
    let serving = serving.as_ref().ok_or(Code::NO_SERVICE)?;
    LISTENING.call_once(|| {
        if let Some(path) = &serving.path
            && let Err(error) = listen(path, serving)
        {
            eprintln!("cardwright: the readers are there, and nobody can take cards out: {error}");
        }
    });
    Ok(&serving.service)
}

/// The service, where it is set up.
pub(super) fn service_there() -> Option<&'static Service> {
    Some(&SERVING.get()?.as_ref()?.service)
}

fn set_up() -> Result<Serving, SetupError> {
    let setup = Setup::of_environment()?;
    let path = setup.control.clone();
    let (service, cards) = setup.open()?;
    Ok(Serving { service, control: Control::new(cards), path })
}

/// Listens at a path, or beside it where another process has it.
fn listen(path: &Path, serving: &'static Serving) -> Result<(), LinkError> {
    let answer: AnswerLine = Arc::new(|line| serving.control.answer(&serving.service, line));
    if answer_lines(path, Arc::clone(&answer))? {
        return Ok(());
    }
    let mut second = path.as_os_str().to_owned();
    second.push(format!(".{}", std::process::id()));
    let second = PathBuf::from(second);
    eprintln!("cardwright: another process has {}, this one listens at {}", path.display(), second.display());
    answer_lines(&second, answer).map(|_| ())
}
