//! The states of a job that is shared out, and what each event makes of each of them. Who
//! keeps the job and who plays it is not known here.

/// How often a job is claimed before it counts as one that ends every agent.
pub const MOST_CLAIMS: i64 = 3;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Whoever comes may claim it.
    Ready,
    /// An agent plays it, and gives signs of life.
    Held,
    /// Played; its result is kept.
    Done,
    /// It could not be played; its reason is kept.
    Failed,
    /// Nobody wants it any more.
    Cancelled,
}

/// What happens to a job. A lease counts the claims, from 1: what comes under an older
/// lease than the job's own is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEvent {
    /// An agent wants it.
    Claim,
    /// The agent of a lease gives a sign of life.
    Beat(i64),
    /// The agent of a lease brings the result.
    Finish(i64),
    /// The agent of a lease says why it cannot be played.
    Break(i64),
    /// The agent of a lease gave no sign for too long.
    Expire(i64),
    /// Nobody wants it any more.
    Cancel,
}

/// A job's state, and the lease of its last claim; 0 before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: JobState,
    /// The lease.
    pub lease: i64,
}

impl JobState {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::Ready, Self::Held, Self::Done, Self::Failed, Self::Cancelled];

    /// Its word in the store.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Held => "held",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.word() == word)
    }

    /// Whether nothing can happen to it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

impl Standing {
    /// Where the job stands after an event; `None` where the event is refused and changes
    /// nothing.
    pub fn after(self, event: JobEvent) -> Option<Self> {
        use JobEvent::{Beat, Break, Cancel, Claim, Expire, Finish};
        use JobState::{Cancelled, Done, Failed, Held, Ready};
        if let Beat(lease) | Finish(lease) | Break(lease) | Expire(lease) = event
            && lease != self.lease
        {
            return None;
        }
        let state = match (self.state, event) {
            (Ready, Claim) => return Some(Self { state: Held, lease: self.lease + 1 }),
            (Held, Beat(_)) => Held,
            (Held, Finish(_)) => Done,
            (Held, Break(_)) => Failed,
            (Held, Expire(_)) if self.lease >= MOST_CLAIMS => Failed,
            (Held, Expire(_)) => Ready,
            (Ready | Held, Cancel) => Cancelled,
            // Said again by one who was not told that he was heard.
            (Done, Finish(_)) => Done,
            (Failed, Break(_)) => Failed,
            (Ready, Beat(_) | Finish(_) | Break(_) | Expire(_))
            | (Held, Claim)
            | (Done | Failed | Cancelled, _) => return None,
        };
        Some(Self { state, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use JobEvent::{Beat, Break, Cancel, Claim, Expire, Finish};

    /// Every event in every state: under the job's own lease 2, and under the older 1.
    const TABLE: &str = "\
              claim      beat 2     beat 1     finish 2   finish 1   break 2    break 1    expire 2   expire 1   cancel
ready         held 3     -          -          -          -          -          -          -          -          cancelled 2
held          -          held 2     -          done 2     -          failed 2   -          ready 2    -          cancelled 2
done          -          -          -          done 2     -          -          -          -          -          -
failed        -          -          -          -          -          failed 2   -          -          -          -
cancelled     -          -          -          -          -          -          -          -          -          -
";

    #[test]
    fn every_event_in_every_state() {
        let events =
            [Claim, Beat(2), Beat(1), Finish(2), Finish(1), Break(2), Break(1), Expire(2), Expire(1), Cancel];
        let mut table = TABLE.lines().next().unwrap().to_owned() + "\n";
        for state in JobState::ALL {
            let mut line = format!("{:<14}", state.word());
            for event in events {
                let after = Standing { state: *state, lease: 2 }.after(event);
                let after = after.map_or("-".into(), |s| format!("{} {}", s.state.word(), s.lease));
                line += &format!("{after:<11}");
            }
            table += line.trim_end();
            table.push('\n');
        }
        assert_eq!(table, TABLE);
    }

    #[test]
    fn the_last_claim_that_is_lost_is_the_end() {
        let held = |lease| Standing { state: JobState::Held, lease };
        for lease in 1..=MOST_CLAIMS {
            let after = held(lease).after(Expire(lease)).unwrap().state;
            assert_eq!(after, if lease < MOST_CLAIMS { JobState::Ready } else { JobState::Failed });
        }
    }

    #[test]
    fn every_state_has_a_word() {
        for state in JobState::ALL {
            assert_eq!(JobState::from_word(state.word()), Some(*state));
        }
        assert_eq!(JobState::from_word(""), None);
    }
}
