//! Issuer authentication: EMV Book 3 10.9. By EXTERNAL AUTHENTICATE where the AIP
//! asks for it, else through CDOL2.

use super::online_processing::Answered;
use super::script_processing;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Next, Phase, Reply, step};
use crate::words::dictionary::tag;
use crate::words::emv::{Aip, Tsi, Tvr};
use crate::words::iso7816::ApduCommand;
use crate::words::iso7816::command::ExternalAuthenticate;

const STEP: &str = "Issuer authentication";
const CLAUSE: &str = "EMV Book 3 10.9";

/// Gives tag 91 to the card, or goes on where there is none.
pub(in crate::roles::terminal) fn begin(
    mut answered: Answered,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    step(STEP, context);
    let Some(data) = answered.answer.chip.value(tag::ISSUER_AUTHENTICATION_DATA).map(<[u8]>::to_vec) else {
        let reason = "the host's answer has no issuer authentication data (91)";
        answered.session().tell("issuer authentication not performed", CLAUSE, reason, &[], context);
        return script_processing::before_second_ac(answered, context);
    };
    answered.session().store.put(tag::ISSUER_AUTHENTICATION_DATA, data.as_slice());
    if !answered.decided.verified.read.initiated.aip.has(Aip::ISSUER_AUTHENTICATION) {
        let reason = "the AIP does not ask for EXTERNAL AUTHENTICATE";
        let causes = [tag::AIP, tag::ISSUER_AUTHENTICATION_DATA];
        answered.session().tell("issuer authentication through CDOL2", CLAUSE, reason, &causes, context);
        return script_processing::before_second_ac(answered, context);
    }
    let ask = ExternalAuthenticate { issuer_authentication_data: data };
    Ok(Next::transmit(ask.to_apdu(), Authenticating { answered }))
}

struct Authenticating {
    answered: Answered,
}

impl Phase for Authenticating {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        let session = self.answered.session();
        let bit = Tsi::ISSUER_AUTHENTICATION_PERFORMED;
        session.performed(bit, CLAUSE, "EXTERNAL AUTHENTICATE was sent", context);
        if !response.status.is_ok() {
            let reason = format!("EXTERNAL AUTHENTICATE answered {}", response.status);
            let causes = [tag::ISSUER_AUTHENTICATION_DATA];
            session.find(Tvr::ISSUER_AUTHENTICATION_FAILED, CLAUSE, reason, &causes, context);
        }
        script_processing::before_second_ac(self.answered, context)
    }
}
