//! Terminal risk management: EMV Book 3 10.6. Done where the AIP asks for it; an
//! electronic cash payment has its own limit instead (9F7B, JR/T 0025.13).

use super::cardholder_verification::Verified;
use super::terminal_action_analysis;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Next, Phase, Reply, step};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::command::GetData;
use crate::words::emv::{Aip, Tsi, Tvr};
use crate::words::iso7816::ApduCommand;

const STEP: &str = "Terminal risk management";
const CLAUSE: &str = "EMV Book 3 10.6";

/// Looks at the amount, at chance, and at how long the card has been offline.
pub(in crate::roles::terminal) fn begin(
    mut verified: Verified,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    step(STEP, context);
    if verified.read.ecash || !verified.read.initiated.aip.has(Aip::TERMINAL_RISK_MANAGEMENT) {
        let reason = match verified.read.ecash {
            true => "electronic cash has a limit of its own (9F7B)",
            false => "the AIP does not ask for it",
        };
        let session = verified.read.session();
        session.tell("terminal risk management not performed", CLAUSE, reason, &[tag::AIP], context);
        return terminal_action_analysis::begin(verified, context);
    }
    exception_file(&mut verified, context);
    let session = verified.read.session();
    forced_online(session, context);
    floor_limit(session, context);
    random_selection(session, context);
    let limits = (
        session.store.array(tag::LOWER_CONSECUTIVE_OFFLINE_LIMIT).map(|[limit]| u16::from(limit)),
        session.store.array(tag::UPPER_CONSECUTIVE_OFFLINE_LIMIT).map(|[limit]| u16::from(limit)),
    );
    match limits {
        (Some(lower), Some(upper)) => {
            let counting = Counting { verified, lower, upper, atc: None };
            Ok(Next::transmit(GetData { tag: tag::ATC }.to_apdu(), counting))
        }
        _ => {
            let reason = "the card has no lower or no upper consecutive offline limit (9F14, 9F23)";
            session.tell("velocity checking not performed", "EMV Book 3 10.6.3", reason, &[], context);
            done(verified, context)
        }
    }
}

fn done(mut verified: Verified, context: &mut Context) -> Result<Next, TerminalError> {
    let bit = Tsi::TERMINAL_RISK_MANAGEMENT_PERFORMED;
    verified.read.session().performed(bit, CLAUSE, "the AIP asks for it", context);
    terminal_action_analysis::begin(verified, context)
}

/// EMV Book 4 6.3.5: the terminal's list of cards that are not to be accepted.
fn exception_file(verified: &mut Verified, context: &mut Context) {
    let (pan, psn) = (verified.read.pan.clone(), verified.read.psn);
    let session = verified.read.session();
    let (clause, causes) = ("EMV Book 4 6.3.5", [tag::PAN, tag::PAN_SEQUENCE_NUMBER]);
    match session.terms.config.is_excepted(pan.expose(), psn) {
        true => {
            let reason = "the terminal's list names it";
            session.find(Tvr::ON_EXCEPTION_FILE, clause, reason, &causes, context);
        }
        false => {
            let reason = "the terminal's exception file does not name it";
            session.tell("card not excepted", clause, reason, &causes, context);
        }
    }
}

/// EMV Book 4 6.5.3.
fn forced_online(session: &mut Session, context: &mut Context) {
    if session.terms.forced_online {
        let reason = "the attendant asked for it";
        session.find(Tvr::MERCHANT_FORCED_ONLINE, "EMV Book 4 6.5.3", reason, &[], context);
    }
}

/// EMV Book 3 10.6.1.
fn floor_limit(session: &mut Session, context: &mut Context) {
    let limit = session.risk.floor_limit_minor;
    let (clause, causes) = ("EMV Book 3 10.6.1", [tag::AMOUNT_AUTHORISED]);
    match session.terms.amount.minor >= limit {
        true => {
            let reason = format!("the amount is not below {limit} in minor units");
            session.find(Tvr::FLOOR_LIMIT_EXCEEDED, clause, reason, &causes, context);
        }
        false => {
            let reason = format!("the amount is below {limit} in minor units");
            session.tell("floor limit not exceeded", clause, reason, &causes, context);
        }
    }
}

/// EMV Book 3 10.6.2: below the threshold the target percentage, from there to the
/// floor limit a percentage that rises to the maximum.
fn random_selection(session: &mut Session, context: &mut Context) {
    let risk = session.risk;
    let amount = session.terms.amount.minor;
    if amount >= risk.floor_limit_minor {
        return;
    }
    let (target, maximum) = (u64::from(risk.random_target_percent), u64::from(risk.random_maximum_percent));
    let percent = match amount.checked_sub(risk.random_threshold_minor) {
        None => target,
        Some(above) => {
            let width = risk.floor_limit_minor - risk.random_threshold_minor;
            target + (maximum - target) * above / width
        }
    };
    // Evenly from 1 to 99: bytes of 198 and above are drawn again.
    let mut drawn = std::iter::repeat_with(|| context.random::<1>()[0]).take(64);
    let number = u64::from(drawn.find(|byte| *byte < 198).unwrap_or_default()) % 99 + 1;
    let (clause, causes) = ("EMV Book 3 10.6.2", [tag::AMOUNT_AUTHORISED]);
    match number <= percent {
        true => {
            let reason = format!("the number {number} of 1 to 99 is not above {percent}");
            session.find(Tvr::RANDOMLY_SELECTED, clause, reason, &causes, context);
        }
        false => {
            let reason = format!("the number {number} of 1 to 99 is above {percent}");
            session.tell("not selected randomly", clause, reason, &causes, context);
        }
    }
}

/// Asks the card for its counters: EMV Book 3 10.6.3.
struct Counting {
    verified: Verified,
    lower: u16,
    upper: u16,
    atc: Option<Option<u16>>,
}

impl Phase for Counting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let asked = if self.atc.is_none() { tag::ATC } else { tag::LAST_ONLINE_ATC_REGISTER };
        let answer = GetData { tag: asked }.answer(&reply.response(STEP)?);
        let told = answer.ok().and_then(|(_, value)| <[u8; 2]>::try_from(value).ok()).map(u16::from_be_bytes);
        let Some(atc) = self.atc else {
            self.atc = Some(told);
            let next = GetData { tag: tag::LAST_ONLINE_ATC_REGISTER };
            return Ok(Next::transmit(next.to_apdu(), *self));
        };
        let session = self.verified.read.session();
        if let Some(last) = told {
            session.store.put(tag::LAST_ONLINE_ATC_REGISTER, last.to_be_bytes());
        }
        velocity(session, atc, told, (self.lower, self.upper), context);
        done(self.verified, context)
    }
}

/// EMV Book 3 10.6.3. A card that does not tell its counters has exceeded both limits.
fn velocity(
    session: &mut Session,
    atc: Option<u16>,
    last_online: Option<u16>,
    (lower, upper): (u16, u16),
    context: &mut Context,
) {
    let clause = "EMV Book 3 10.6.3";
    let causes = [
        tag::LOWER_CONSECUTIVE_OFFLINE_LIMIT,
        tag::UPPER_CONSECUTIVE_OFFLINE_LIMIT,
        tag::LAST_ONLINE_ATC_REGISTER,
    ];
    let (over_lower, over_upper, reason) = match (atc, last_online) {
        (Some(atc), Some(last)) => match atc.checked_sub(last) {
            Some(offline @ 1..) => {
                let reason = format!("{offline} transactions since the last online one");
                (offline > lower, offline > upper, reason)
            }
            _ => (true, true, format!("the counter {atc} is not above the last online counter {last}")),
        },
        _ => (true, true, "the card does not tell its counters".to_owned()),
    };
    if !over_lower && !over_upper {
        session.tell("velocity within limits", clause, reason.clone(), &causes, context);
    }
    if over_lower {
        session.find(Tvr::LOWER_LIMIT_EXCEEDED, clause, &reason, &causes, context);
    }
    if over_upper {
        session.find(Tvr::UPPER_LIMIT_EXCEEDED, clause, &reason, &causes, context);
    }
    if last_online == Some(0) {
        session.find(Tvr::NEW_CARD, clause, "its last online counter is 0", &causes, context);
    }
}
