//! Holder and host of a phone at the command line: each is asked on a thread of its own, so
//! that the touch goes on meanwhile.

use crate::air::host::{Host, HostError};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::roles::p2p::transfer::{Ask, Confirmation};
use crate::world::transfer::{Answered, Around};
use std::io::BufRead;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Holder and host.
pub(in crate::doors::cli) struct Neighbours {
    host: Option<Box<dyn Host>>,
    /// Whether the holder has said yes to whatever is shown.
    has_said_yes: bool,
    waiting: Option<Receiver<Back>>,
}

/// An answer, and the host, which is lent to the thread that asks it.
type Back = (Answered, Option<Box<dyn Host>>);

impl Neighbours {
    /// A holder who is asked unless they have said yes already, and a host if one is asked.
    pub(in crate::doors::cli) fn new(host: Option<Box<dyn Host>>, has_said_yes: bool) -> Self {
        Self { host, has_said_yes, waiting: None }
    }
}

impl Around for Neighbours {
    fn ask(&mut self, ask: Ask) {
        let (sender, receiver) = channel();
        self.waiting = Some(receiver);
        let (host, has_said_yes) = (self.host.take(), self.has_said_yes);
        let answer = move || {
            // Whoever has gone meanwhile needs no answer.
            let _ = sender.send(match ask {
                Ask::Confirm(shown) => (Answered::Confirmed(confirm(&shown, has_said_yes)), host),
                Ask::Host(request) => match host {
                    None => (Answered::Host(Err(no_host())), None),
                    Some(mut host) => {
                        let answer = host.authorise(&request, &mut Context::system(Discard));
                        (Answered::Host(answer), Some(host))
                    }
                },
            });
        };
        // Without a thread nobody answers: the touch ends without.
        let _ = thread::Builder::new().name("asked".into()).spawn(answer);
    }

    fn answered(&mut self) -> Option<Answered> {
        let (answered, host) = self.waiting.as_ref()?.try_recv().ok()?;
        (self.waiting, self.host) = (None, host);
        Some(answered)
    }
}

fn confirm(shown: &Confirmation, has_said_yes: bool) -> bool {
    let Confirmation { payee_name, payee, amount } = shown;
    if has_said_yes {
        eprintln!("Paying {amount} to {payee_name} (phone {payee}).");
        return true;
    }
    eprint!("Pay {amount} to {payee_name} (phone {payee})? [y/n] ");
    let mut typed = String::new();
    let line = std::io::stdin().lock().read_line(&mut typed);
    line.is_ok() && matches!(typed.trim(), "y" | "Y" | "yes")
}

fn no_host() -> HostError {
    HostError::Unreachable { cause: "no host is named".into() }
}
