//! Offline PIN processing: EMV Book 3 10.5.1. The card compares the PIN; each wrong
//! one costs one of its tries.

use super::cardholder_verification::{Attempt, Verifying, is_pin, not_entered};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::crypto::{CryptoError, RsaPublicKey};
use crate::base::event::Event;
use crate::roles::terminal::authentication::pin_key;
use crate::roles::terminal::cardholder::{PinCheck, PinPrompt};
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::message::Message;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::words::dictionary::tag;
use crate::words::emv::certificate::PublicKey;
use crate::words::emv::command::GetData;
use crate::words::emv::{CvmCode, Tvr};
use crate::words::iso7816::command::{GetChallenge, PinBlock, PresentedPin, Verify};
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
    let key = match enciphered.then(|| encipherment_key(&verifying)) {
        None => None,
        Some(Ok(key)) => Some(key),
        Some(Err(reason)) => {
            let event = Event::new("terminal", "PIN not enciphered").clause("EMV Book 2 7.1");
            context.emit(event.because(reason));
            return verifying.take(Attempt::Failed, context);
        }
    };
    let offline = OfflinePin { verifying, key, tries_left: None, attempt: 0 };
    Ok(Next::transmit(GetData { tag: tag::PIN_TRY_COUNTER }.to_apdu(), Counting(offline)))
}

/// The card's key, where its certificate is authentic.
fn encipherment_key(verifying: &Verifying) -> Result<RsaPublicKey, String> {
    let read = &verifying.read;
    let session = &read.initiated.selected.session;
    match pin_key(session, &read.pan, &read.signed).map_err(|weakness| weakness.to_string())? {
        PublicKey::Rsa(key) => Ok(key),
        PublicKey::Sm2(_) => Err("PINs are enciphered with RSA alone".into()),
    }
}

struct OfflinePin {
    verifying: Verifying,
    /// What the PIN is enciphered with, where it is.
    key: Option<RsaPublicKey>,
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
        if offline.key.is_some() {
            return Ok(Next::transmit(GetChallenge.to_apdu(), Challenged { offline, pin }));
        }
        let ask = Verify { pin: Some(PresentedPin::Plain(pin)) };
        Ok(Next::transmit(ask.to_apdu(), Presenting(offline)))
    }
}

/// Waits for the card's number, with which the PIN is enciphered.
struct Challenged {
    offline: OfflinePin,
    pin: PinBlock,
}

impl Phase for Challenged {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { offline, pin } = *self;
        let answer = GetChallenge.answer(&reply.response(STEP)?);
        let enciphered = match (answer, &offline.key) {
            (Ok(challenge), Some(key)) => {
                encipher(&pin, challenge, key, context).map_err(|error| error.to_string())
            }
            (Err(error), _) => Err(error.to_string()),
            (_, None) => return Err(TerminalError::Reply { step: STEP }),
        };
        match enciphered {
            Ok(bytes) => {
                let ask = Verify { pin: Some(PresentedPin::Enciphered(bytes)) };
                Ok(Next::transmit(ask.to_apdu(), Presenting(offline)))
            }
            Err(reason) => {
                let event = Event::new("terminal", "PIN not enciphered").clause("EMV Book 2 7.2");
                context.emit(event.because(reason));
                offline.verifying.take(Attempt::Failed, context)
            }
        }
    }
}

/// Header, block, challenge and random filling under the key: EMV Book 2 7.2.
fn encipher(
    pin: &PinBlock,
    challenge: [u8; 8],
    key: &RsaPublicKey,
    context: &mut Context,
) -> Result<Vec<u8>, CryptoError> {
    const HEADER: u8 = 0x7F;
    let mut data = Secret::new([&[HEADER], pin.expose().as_slice(), &challenge].concat());
    while data.expose().len() < key.length_bytes() {
        let filling: [u8; 8] = context.random();
        let room = key.length_bytes() - data.expose().len();
        data.expose_mut().extend(filling.iter().take(room));
    }
    key.apply(data.expose())
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
        let language = offline.verifying.read.session().language.clone();
        context.emit(
            Event::new("terminal", "PIN presented")
                .clause(CLAUSE)
                .because(format!("VERIFY answered {status}")),
        );
        match status {
            StatusWord::OK => {
                let next = offline.verifying.take(Attempt::Successful, context)?;
                Ok(next.showing(Message::PinOk, &language))
            }
            StatusWord::METHOD_BLOCKED | StatusWord::DATA_INVALIDATED => {
                offline.exceeded("the card has blocked the PIN", context)
            }
            status => match status.counter() {
                Some(left) => {
                    offline.tries_left = Some(left);
                    Ok(offline.ask(context)?.showing(Message::IncorrectPin, &language))
                }
                None => Err(CommandError::Refused { command: Verify::NAME, status }.into()),
            },
        }
    }
}
