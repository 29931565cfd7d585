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
