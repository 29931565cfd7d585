//! Two phones touch in one process: unit by unit, over a wire that may do to each what it
//! likes. Each is asked in turn, as NFC-DEP has it.

use crate::air::host::Host;
use crate::base::context::Context;
use crate::roles::p2p::transfer::{Ask, Confirmation, Phone, Task, Touch, TouchEnd, TransferError};
use crate::words::transfer::TransferId;
use std::time::Duration;

/// More units than any touch needs: who goes on for ever is cut off.
const MOST_UNITS: usize = 1_000;
/// About how long a unit is on its way.
const UNIT: Duration = Duration::from_millis(5);

/// What becomes of a unit on its way, by its number: what arrives, or nothing any more.
pub type Carry<'a> = &'a mut dyn FnMut(usize, Vec<u8>) -> Option<Vec<u8>>;

/// One of the two.
pub struct Side<'a> {
    /// The phone.
    pub phone: &'a mut Phone,
    /// What it is told to do.
    pub task: Task,
    /// Its host.
    pub host: &'a mut dyn Host,
    /// What its holder says to a confirmation; looking takes time.
    pub holder: &'a mut dyn FnMut(&Confirmation, &mut Context) -> bool,
}

/// What a touch came to for one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// How it ended; none where it broke off.
    pub end: Option<TouchEnd>,
    /// The transfer that it was about.
    pub transfer: Option<TransferId>,
    /// What broke it off.
    pub trouble: Option<TransferError>,
}

/// Lets two phones touch; the first one is the initiator.
///
/// # Errors
/// A link cannot be made, which cannot be. What goes wrong in the touch is told of each.
pub fn meet<'a>(
    first: Side<'a>,
    second: Side<'a>,
    carry: Carry<'_>,
    context: &mut Context,
) -> Result<[Met; 2], TransferError> {
    let mut ends = [End::new(first)?, End::new(second)?];
    let general = ends.each_ref().map(|end| end.touch.general_bytes());
    ends[0].touch.meet(&general[1])?;
    ends[1].touch.meet(&general[0])?;
    for number in 0..MOST_UNITS {
        let [speaker, hearer] = if number % 2 == 0 { [0, 1] } else { [1, 0] };
        let Some(said) = ends[speaker].speak(context) else { break };
        let was_last = !ends.iter().any(|end| end.touch.is_open());
        context.elapse(UNIT);
        let Some(heard) = carry(number, said) else { break };
        if !ends[hearer].hears(&heard) || was_last {
            break;
        }
    }
    Ok(ends.map(|end| Met { end: end.touch.end(), transfer: end.touch.transfer(), trouble: end.trouble }))
}

struct End<'a> {
    side: Side<'a>,
    touch: Touch,
    trouble: Option<TransferError>,
}

impl<'a> End<'a> {
    fn new(side: Side<'a>) -> Result<Self, TransferError> {
        Ok(Self { touch: Touch::new(side.task)?, side, trouble: None })
    }

    /// The next unit; none where the phone has stopped.
    fn speak(&mut self, context: &mut Context) -> Option<Vec<u8>> {
        match self.go_on(context) {
            Ok(()) => Some(self.touch.say_next()),
            Err(trouble) => {
                self.trouble = Some(trouble);
                None
            }
        }
    }

    fn go_on(&mut self, context: &mut Context) -> Result<(), TransferError> {
        while let Some(ask) = self.touch.poll(self.side.phone, context)? {
            match ask {
                Ask::Confirm(shown) => {
                    let yes = (self.side.holder)(&shown, context);
                    self.touch.confirmed(yes, self.side.phone, context)?;
                }
                Ask::Host(request) => {
                    let answer = self.side.host.authorise(&request, context);
                    self.touch.host_answered(&answer, self.side.phone, context)?;
                }
            }
        }
        Ok(())
    }

    fn hears(&mut self, heard: &[u8]) -> bool {
        match self.touch.take(heard) {
            Ok(()) => true,
            Err(trouble) => {
                self.trouble = Some(trouble);
                false
            }
        }
    }
}
