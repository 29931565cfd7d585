//! Offline PIN processing: EMV Book 3 10.5.1. The card compares the PIN; each wrong
//! one costs one of its tries.

use super::cardholder_verification::{Attempt, Verifying, is_pin, not_entered};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::cardholder::{PinCheck, PinPrompt};
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::words::dictionary::tag;
use crate::words::emv::command::GetData;
use crate::words::emv::{CvmCode, Tvr};
use crate::words::iso7816::command::{PinBlock, Verify};
use crate::words::iso7816::{ApduCommand, CommandError, StatusWord};

const STEP: &str = "Offline PIN processing";
const CLAUSE: &str = "EMV Book 3 10.5.1";
/// More prompts than any card has tries (tag 9F17, a half byte of 63Cx).
const ATTEMPTS: usize = 15;

/// Asks the card first how many tries are left.
pub(in crate::roles::terminal) fn begin(
    verifying: Verifying,
    code: CvmCode,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let enciphered = matches!(code.method(), CvmCode::ENCIPHERED_PIN | CvmCode::ENCIPHERED_PIN_AND_SIGNATURE);
    if enciphered {
        let reason = "no public key of the card is known to encipher it with";
        context.emit(Event::new("terminal", "PIN not enciphered").clause("EMV Book 2 7.1").because(reason));
        return verifying.take(Attempt::Failed, context);
    }
    let offline = OfflinePin { verifying, tries_left: None, attempt: 0 };
    Ok(Next::transmit(GetData { tag: tag::PIN_TRY_COUNTER }.to_apdu(), Counting(offline)))
}

struct OfflinePin {
    verifying: Verifying,
    /// As far as the card tells.
    tries_left: Option<u8>,
    /// How often it has been asked for.
    attempt: usize,
}

impl OfflinePin {
    /// Asks the cardholder, unless the card would not listen.
    fn ask(mut self, context: &mut Context) -> Result<Next, TerminalError> {
        if self.tries_left == Some(0) || self.attempt == ATTEMPTS {
            return self.exceeded("no try is left", context);
        }
        self.attempt += 1;
        let prompt = PinPrompt {
            pan: self.verifying.read.pan.clone(),
            amount: self.verifying.read.session().terms.amount,
            check: PinCheck::Offline { tries_left: self.tries_left },
            attempt: self.attempt,
        };
        Ok(Next::wait(Io::EnterPin(prompt), Entering(self)))
    }

    fn exceeded(mut self, reason: &'static str, context: &mut Context) -> Result<Next, TerminalError> {
        let causes = [tag::PIN_TRY_COUNTER];
        self.verifying.read.session().find(Tvr::PIN_TRY_LIMIT_EXCEEDED, CLAUSE, reason, &causes, context);
        self.verifying.take(Attempt::Failed, context)
    }
}

/// Waits for the try counter; a card need not tell it.
struct Counting(OfflinePin);

impl Phase for Counting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let mut offline = self.0;
        let answer = GetData { tag: tag::PIN_TRY_COUNTER }.answer(&reply.response(STEP)?);
        offline.tries_left = answer.ok().and_then(|(_, value)| match value[..] {
            [left] => Some(left),
            _ => None,
        });
        offline.ask(context)
    }
}

/// Waits for the PIN.
struct Entering(OfflinePin);

impl Phase for Entering {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let mut offline = self.0;
        let pin = reply.pin(STEP)?.filter(is_pin).and_then(|pin| PinBlock::from_digits(pin.expose()));
        let Some(pin) = pin else {
            not_entered(offline.verifying.read.session(), context);
            return offline.verifying.take(Attempt::Failed, context);
        };
        Ok(Next::transmit(Verify { pin: Some(pin) }.to_apdu(), Presenting(offline)))
    }
}

/// Waits for the card's word.
struct Presenting(OfflinePin);

impl Phase for Presenting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let mut offline = self.0;
        let status = reply.response(STEP)?.status;
        context.emit(
            Event::new("terminal", "PIN presented")
                .clause(CLAUSE)
                .because(format!("VERIFY answered {status}")),
        );
        match status {
            StatusWord::OK => offline.verifying.take(Attempt::Successful, context),
            StatusWord::METHOD_BLOCKED | StatusWord::DATA_INVALIDATED => {
                offline.exceeded("the card has blocked the PIN", context)
            }
            status => match status.counter() {
                Some(left) => {
                    offline.tries_left = Some(left);
                    offline.ask(context)
                }
                None => Err(CommandError::Refused { command: Verify::NAME, status }.into()),
            },
        }
    }
}
