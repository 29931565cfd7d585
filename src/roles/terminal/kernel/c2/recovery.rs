//! A torn transaction is recovered (EMV Book C-2 state 10): the card gave a cryptogram
//! whose answer never came. It is asked for that one before it could make another.

use super::asking::{self, Pending, opening};
use super::reader::Reader;
use super::restrictions::Decided;
use super::verification;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::{CardMark, Change, Torn};
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::{mastercard, tag};
use crate::words::emv::command::{GenerateAc, RecoverAc};
use crate::words::emv::{CryptogramType, Tsi, Tvr};
use crate::words::iso7816::ApduCommand;

const STEP: &str = "Recovery of a torn transaction";
const CLAUSE: &str = "EMV Book C-2 S456.46";

/// Looks for a torn transaction of this card, where it can be recovered.
pub(super) fn begin(mut decided: Decided, context: &mut Context) -> Result<Next, TerminalError> {
    let card = CardMark { pan: decided.read.pan.clone(), psn: decided.read.psn };
    let session = decided.read.session();
    let reader = Reader::of(session);
    let most = usize::from(reader.torn_records);
    if most == 0 || !session.store.has(mastercard::DRDOL) {
        let opened = session.entry_point.opened;
        return asking::generate(decided, opened);
    }
    let lifetime = i64::from(reader.torn_seconds) * 1_000_000;
    let since = Timestamp::from_micros(context.now().micros().saturating_sub(lifetime));
    // A sale is never paid by another one's cryptogram, unless the terminal file wants it so.
    let same_only = session.combination().is_none_or(|of| of.recovers_same_amount_only);
    let amount = same_only.then_some(session.terms.amount);
    Ok(Next::wait(Io::FindTorn { card, amount, since, most }, Looking { decided }))
}

struct Looking {
    decided: Decided,
}

impl Phase for Looking {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let opened = self.decided.read.session().entry_point.opened;
        let Some(mut torn) = reply.torn(STEP)? else { return asking::generate(self.decided, opened) };
        let reason = format!("the card's last cryptogram, over {}, never came", torn.amount);
        context.emit(Event::new("terminal", "torn transaction found").clause(CLAUSE).because(reason));
        let session = self.decided.read.session();
        let replaced = std::mem::replace(&mut torn.row, session.terms.trace);
        let most = usize::from(Reader::of(session).torn_records);
        // Over another amount, the row is opened once it is known which of both is paid.
        let opens = opened.is_none() && torn.amount == session.terms.amount;
        let opened = opened.or(opens.then_some(torn.asked));
        let opening = opens.then(|| opening(&mut self.decided.read, torn.asked));
        let ask = RecoverAc { drdol_data: torn.drdol_data.clone() };
        let kept = Change::Asking { torn: torn.clone(), replaced, most };
        let next = Next::transmit(ask.to_apdu(), Recovering { decided: self.decided, torn, opened });
        Ok(opening.into_iter().fold(next.after(kept), Next::after))
    }
}

struct Recovering {
    decided: Decided,
    torn: Box<Torn>,
    /// What the journal's row began as, where it is open.
    opened: Option<CryptogramType>,
}

impl Phase for Recovering {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { mut decided, torn, opened } = *self;
        let response = reply.response(STEP)?;
        if !response.status.is_ok() {
            // It never got that command, or has made another cryptogram since.
            let reason = format!("RECOVER AC answered {}: the card is asked anew", response.status);
            context.emit(
                Event::new("terminal", "nothing to recover").clause("EMV Book C-2 S10.8").because(reason),
            );
            return asking::generate(decided, opened);
        }
        let session = decided.read.session();
        session.terms.amount = torn.amount;
        for (tag, value) in torn.chip.iter() {
            session.store.put(tag, value);
        }
        session.tvr = session.store.array(tag::TVR).map(Tvr).unwrap_or_default();
        session.tsi = session.store.array(tag::TSI).map(Tsi).unwrap_or(session.tsi);
        verification::note_outcome(session);
        session.exchanged.clone_from(&torn.exchanged);
        session.relay.clone_from(&torn.relay);
        decided.cryptogram = torn.asked;
        let opening = opened.is_none().then(|| opening(&mut decided.read, torn.asked));
        // What the lists brought then is in what was exchanged.
        let ask = GenerateAc { cryptogram: torn.asked, cda: torn.cda, cdol_data: Vec::new() };
        let next = Pending { decided, ask, recoverable: true }.answered(&response, context)?;
        Ok(opening.into_iter().fold(next, Next::after))
    }

    fn release(self: Box<Self>) -> Option<Session> {
        Some(asking::torn(self.decided, self.opened))
    }
}
