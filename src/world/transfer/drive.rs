//! One phone of a touch over NFC-DEP: the other one is elsewhere. The link goes on while the
//! holder thinks and the host is asked.

use crate::air::host::{Answer, HostError};
use crate::air::link::Peer;
use crate::base::context::Context;
use crate::roles::p2p::transfer::{Ask, Phone, Touch, TransferError};
use crate::words::iso18092::Side;
use std::thread;
use std::time::Duration;

/// How long the other phone may be silent, whatever it says of itself.
const SILENCE: Duration = Duration::from_secs(3);
/// How long a last unit may take that nobody answers.
const FAREWELL: Duration = Duration::from_millis(50);
/// How long it waits before it says that there is nothing to say.
const IDLE: Duration = Duration::from_millis(5);

/// An answer to an [`Ask`].
#[derive(Debug)]
pub enum Answered {
    /// The holder's.
    Confirmed(bool),
    /// The host's, or that there is none.
    Host(Result<Answer, HostError>),
}

/// Those around a phone. Neither is waited for.
pub trait Around {
    /// Asks holder or host.
    fn ask(&mut self, ask: Ask);

    /// The answer to what was asked last, once there is one.
    fn answered(&mut self) -> Option<Answered>;
}

/// Why a touch broke off.
pub type Broken = Option<String>;

/// Drives a touch to its end, or until it breaks off, or `patience` is over.
///
/// # Errors
/// The phone itself fails. What the link does is told.
pub fn drive(
    touch: &mut Touch,
    phone: &mut Phone,
    peer: &mut dyn Peer,
    around: &mut dyn Around,
    patience: Duration,
    context: &mut Context,
) -> Result<Broken, TransferError> {
    let activation = peer.activation().clone();
    touch.meet(&activation.general)?;
    let ends = context.now().plus(patience);
    let mut said = None;
    let mut asks = false;
    if activation.side == Side::Initiator {
        go_on(touch, phone, around, &mut asks, context)?;
        said = Some(touch.say_next());
    }
    loop {
        let is_last = said.is_some() && !touch.is_open();
        let wait = if is_last { FAREWELL } else { touch.timeout().max(SILENCE) };
        let heard = match peer.exchange(said.as_deref(), wait, context) {
            _ if is_last => return Ok(None),
            Ok(heard) => heard,
            Err(error) => return Ok(Some(error.to_string())),
        };
        if let Err(error) = touch.take(&heard) {
            return Ok(Some(error.to_string()));
        }
        match go_on(touch, phone, around, &mut asks, context) {
            Ok(()) => {}
            // What the other phone does not take breaks the touch, not this phone.
            Err(error @ (TransferError::Snep(_) | TransferError::Link(_))) => {
                return Ok(Some(error.to_string()));
            }
            Err(error) => return Err(error),
        }
        if context.now() > ends {
            return Ok(Some(format!("nothing came of it within {} s", patience.as_secs())));
        }
        let unit = touch.say_next();
        if asks || unit == SYMMETRY {
            thread::sleep(IDLE);
        }
        said = Some(unit);
    }
}

/// The unit that says nothing.
const SYMMETRY: [u8; 2] = [0, 0];

fn go_on(
    touch: &mut Touch,
    phone: &mut Phone,
    around: &mut dyn Around,
    asks: &mut bool,
    context: &mut Context,
) -> Result<(), TransferError> {
    loop {
        if *asks {
            match around.answered() {
                None => {}
                Some(Answered::Confirmed(yes)) => {
                    *asks = false;
                    touch.confirmed(yes, phone, context)?;
                }
                Some(Answered::Host(answer)) => {
                    *asks = false;
                    touch.host_answered(&answer, phone, context)?;
                }
            }
        }
        match touch.poll(phone, context)? {
            Some(ask) => {
                around.ask(ask);
                *asks = true;
            }
            None => return Ok(()),
        }
    }
}
