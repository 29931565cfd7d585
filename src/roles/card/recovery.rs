//! RECOVER AC on the card (EMV Book C-2 5.7): the answer to the last GENERATE AC by
//! radio is kept with the counters that moved with it, and given again to a terminal that
//! names the same transaction.

use super::memory::{ApplicationMemory, Recoverable};
use super::session::{Phase, Transaction};
use super::simulator::{Answer, Refusal, Work};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::mastercard;
use crate::words::emv::assemble;
use crate::words::emv::command::RecoverAc;
use crate::words::iso7816::{ApduCommand, ResponseApdu};
use crate::words::tlv::Dol;

/// Keeps an answer where the card has a DRDOL; over contacts nothing is torn.
pub(super) fn remember(after: &mut ApplicationMemory, transaction: &Transaction, answer: &[u8]) {
    let drdol = after.data.value(mastercard::DRDOL).and_then(|bytes| Dol::parse(bytes).ok());
    after.state.recoverable = drdol.filter(|_| transaction.contactless).map(|drdol| Recoverable {
        drdol_data: assemble(&drdol, &transaction.data),
        answer: answer.to_vec(),
    });
}

/// Answers RECOVER AC.
pub(super) fn recover(work: &mut Work<'_>, command: &RecoverAc, context: &mut Context) -> Answer {
    let kept = work.application()?.state.recoverable.clone();
    let kept = kept.filter(|kept| kept.drdol_data == command.drdol_data);
    let before = match work.take_phase() {
        Phase::Initiated(transaction) => transaction,
        other => {
            work.set_phase(other);
            return Err(Refusal::state("RECOVER AC follows GET PROCESSING OPTIONS"));
        }
    };
    match kept {
        Some(kept) => {
            work.set_phase(Phase::Completed(before));
            context.emit(
                Event::new("card", "gave its last answer again")
                    .clause(RecoverAc::CLAUSE)
                    .because("the DRDOL's data are those of the last GENERATE AC"),
            );
            Ok(ResponseApdu::ok(kept.answer))
        }
        None => {
            work.set_phase(Phase::Initiated(before));
            Err(Refusal::state("the DRDOL's data are not those of the last GENERATE AC"))
        }
    }
}
