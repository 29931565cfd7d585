//! The T=0 procedure above a link: fetches what 61xx announces and asks again
//! after 6Cxx (ISO/IEC 7816-3 12.2, EMV Book 1 9.3). Bounded.

use super::{Activation, Card, LinkError, RadioIdentity};
use crate::base::context::Context;
use crate::words::iso7816::command::GetResponse;
use crate::words::iso7816::{ApduCommand, CommandApdu, ResponseApdu};

/// Most rounds for one command: 64 KiB in pieces of 256 bytes.
const ROUNDS: u32 = 256;
/// Most rounds in which the card sent nothing: those make no progress.
const EMPTY_ROUNDS: u32 = 4;

/// Wraps a card so that its user sees whole answers.
pub struct T0<C>(pub C);

impl<C: Card> Card for T0<C> {
    fn activation(&self) -> &Activation {
        self.0.activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let mut gathered = Vec::new();
        let mut next = command.clone();
        let mut empty = 0;
        for _ in 0..ROUNDS {
            let response = self.0.transmit(&next, context)?;
            empty = if response.data.is_empty() { empty + 1 } else { 0 };
            gathered.extend_from_slice(&response.data);
            match response.status.sw1() {
                _ if empty > EMPTY_ROUNDS => return Err(LinkError::Endless { rounds: empty }),
                0x61 => {
                    let waiting = u16::from(response.status.sw2());
                    next = GetResponse { length: if waiting == 0 { 256 } else { waiting } }.to_apdu();
                }
                0x6C if response.data.is_empty() => {
                    let right = u32::from(response.status.sw2());
                    next.le = Some(if right == 0 { 256 } else { right });
                }
                _ => return Ok(ResponseApdu { data: gathered, status: response.status }),
            }
        }
        Err(LinkError::Endless { rounds: ROUNDS })
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.0.reset(context)
    }

    fn radio_identity(&mut self, context: &mut Context) -> Result<Option<RadioIdentity>, LinkError> {
        self.0.radio_identity(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::link::{Endpoint, InProcess, Interface};
    use crate::base::event::Discard;

    struct Answers(Vec<&'static [u8]>);

    impl Endpoint for Answers {
        fn place(&self) -> String {
            "a list of answers".into()
        }

        fn power_on(&mut self, _: Interface, _: &mut Context) -> Vec<u8> {
            vec![0x3B, 0x00]
        }

        fn power_off(&mut self) {}

        fn process(&mut self, _: &[u8], _: &mut Context) -> Result<Vec<u8>, LinkError> {
            let answer = if self.0.len() > 1 { self.0.remove(0) } else { self.0[0] };
            Ok(answer.to_vec())
        }
    }

    fn ask(answers: Vec<&'static [u8]>) -> Result<ResponseApdu, LinkError> {
        let mut context = Context::simulated(1, Discard);
        let mut card = T0(InProcess::connect(Answers(answers), Interface::Contact, &mut context));
        card.transmit(&CommandApdu::new(0, 0xA4, 4, 0).le(256), &mut context)
    }

    #[test]
    fn fetches_what_is_announced() {
        let whole = ask(vec![&[0x6C, 0x02], &[0x61, 0x02], &[1, 2, 0x61, 0x01], &[3, 0x90, 0x00]]).unwrap();
        assert_eq!(whole, ResponseApdu::ok(vec![1, 2, 3]));
    }

    #[test]
    fn an_endless_announcement_ends() {
        assert_eq!(ask(vec![&[0x61, 0x10]]), Err(LinkError::Endless { rounds: 5 }));
        assert_eq!(ask(vec![&[0x6C, 0x10]]), Err(LinkError::Endless { rounds: 5 }));
        assert_eq!(ask(vec![&[0xAA, 0x61, 0x10]]), Err(LinkError::Endless { rounds: 256 }));
    }
}
