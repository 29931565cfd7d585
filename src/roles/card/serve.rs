//! Serving a simulated card on a target, such as a virtual reader: what comes in
//! goes to the card, what it answers goes out.

use super::Simulated;
use crate::air::link::{Interface, LinkError, Target, TargetRequest};
use crate::base::context::Context;

/// Serves `card` until the far side is gone, or `keep_going` says no; it is asked
/// before every request, and again whenever the target's wait timed out. A real
/// card cannot be passed: the trait is sealed.
pub fn serve(
    card: &mut dyn Simulated,
    interface: Interface,
    target: &mut dyn Target,
    context: &mut Context,
    keep_going: &dyn Fn() -> bool,
) -> Result<(), LinkError> {
    if target.is_radio() {
        refuse_recording(card)?;
    }
    let mut atr = None;
    let result = loop {
        if !keep_going() {
            break Ok(());
        }
        let request = match target.receive(context) {
            Ok(request) => request,
            Err(LinkError::Timeout { .. }) => continue,
            Err(error) => break Err(error),
        };
        let sent = match request {
            TargetRequest::PowerOn => {
                atr = Some(card.power_on(interface, context));
                Ok(())
            }
            TargetRequest::PowerOff => {
                card.power_off();
                atr = None;
                Ok(())
            }
            TargetRequest::Atr => {
                let atr = atr.get_or_insert_with(|| card.power_on(interface, context));
                target.send(atr, context)
            }
            TargetRequest::Command(command) => {
                // Some readers talk without asking for the ATR first.
                atr.get_or_insert_with(|| card.power_on(interface, context));
                match card.process(&command, context) {
                    Ok(answer) => target.send(&answer, context),
                    Err(error) => Err(error),
                }
            }
            TargetRequest::Gone => break Ok(()),
        };
        if let Err(error) = sent {
            break Err(error);
        }
    };
    card.power_off();
    result
}

/// A recording is not served on radio.
pub(super) fn refuse_recording(card: &dyn Simulated) -> Result<(), LinkError> {
    if !card.is_recording() {
        return Ok(());
    }
    Err(LinkError::Unavailable {
        missing: "a recording is not served on radio, where it could pass for the card".into(),
        remedy: "serve it on a virtual reader, or make a card of our own of it: cardwright trace to-profile"
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::link::Endpoint;
    use crate::air::link::iso_dep::CardKind;
    use crate::base::event::Discard;
    use crate::roles::card::CardInField;

    /// A far side that asks what it was told to, and keeps the answers; by radio or not.
    struct Asks(Vec<Result<TargetRequest, LinkError>>, Vec<Vec<u8>>, bool);

    impl Target for Asks {
        fn place(&self) -> &str {
            "a list of requests"
        }

        fn is_radio(&self) -> bool {
            self.2
        }

        fn receive(&mut self, _: &mut Context) -> Result<TargetRequest, LinkError> {
            self.0.remove(0)
        }

        fn send(&mut self, answer: &[u8], _: &mut Context) -> Result<(), LinkError> {
            self.1.push(answer.to_vec());
            Ok(())
        }
    }

    /// A card that answers with its state of power.
    struct Echo(bool);

    impl Endpoint for Echo {
        fn place(&self) -> String {
            "a test".into()
        }

        fn power_on(&mut self, _: Interface, _: &mut Context) -> Vec<u8> {
            self.0 = true;
            vec![0x3B, 0x00]
        }

        fn power_off(&mut self) {
            self.0 = false;
        }

        fn process(&mut self, command: &[u8], _: &mut Context) -> Result<Vec<u8>, LinkError> {
            assert!(self.0, "a card without power is asked nothing");
            Ok(command.to_vec())
        }
    }

    impl crate::roles::card::simulator::sealed::Sealed for Echo {}
    impl Simulated for Echo {}

    #[test]
    fn carries_requests_until_the_far_side_is_gone() {
        let timeout = LinkError::Timeout { during: "waiting".into(), timeout_ms: 1 };
        let requests = [
            Ok(TargetRequest::Atr),
            Err(timeout),
            Ok(TargetRequest::PowerOff),
            Ok(TargetRequest::PowerOn),
            Ok(TargetRequest::Command(vec![1])),
            Ok(TargetRequest::PowerOff),
            Ok(TargetRequest::Command(vec![2])),
            Ok(TargetRequest::Gone),
        ];
        let mut target = Asks(requests.into(), Vec::new(), false);
        let mut card = Echo(false);
        let mut context = Context::simulated(1, Discard);
        serve(&mut card, Interface::Contact, &mut target, &mut context, &|| true).unwrap();
        assert_eq!(target.1, [vec![0x3B, 0x00], vec![1], vec![2]]);
        assert!(!card.0, "the card is switched off at the end");
        serve(&mut card, Interface::Contact, &mut target, &mut context, &|| false).unwrap();
    }

    /// A card that says what another one said.
    struct Recorded(Echo);

    impl Endpoint for Recorded {
        fn place(&self) -> String {
            self.0.place()
        }

        fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
            self.0.power_on(interface, context)
        }

        fn power_off(&mut self) {
            self.0.power_off();
        }

        fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
            self.0.process(command, context)
        }
    }

    impl crate::roles::card::simulator::sealed::Sealed for Recorded {}
    impl Simulated for Recorded {
        fn is_recording(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_recording_is_not_served_on_radio() {
        let mut context = Context::simulated(1, Discard);
        let mut serve_on = |radio: bool, card: &mut dyn Simulated| {
            let mut target = Asks(vec![Ok(TargetRequest::Gone)], Vec::new(), radio);
            serve(card, Interface::Contactless, &mut target, &mut context, &|| true)
        };
        let refused = serve_on(true, &mut Recorded(Echo(false)));
        assert!(matches!(refused, Err(LinkError::Unavailable { .. })), "{refused:?}");
        serve_on(false, &mut Recorded(Echo(false))).unwrap();
        serve_on(true, &mut Echo(false)).unwrap();
        let kind = || CardKind::B([8, 1, 2, 3]);
        let refused = CardInField::new(Box::new(Recorded(Echo(false))), kind(), &mut context);
        assert!(matches!(refused, Err(LinkError::Unavailable { .. })));
        assert!(CardInField::new(Box::new(Echo(false)), kind(), &mut context).is_ok());
    }
}
