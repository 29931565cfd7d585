//! What may go wrong in a touch, and on the way to the host.

use crate::world::draw::Draw;
use crate::world::tear::{CrashPlan, HostPlan, HostPoint};
use std::fmt;

/// More than a touch has of each: some faults fall behind its end and never happen.
const UNITS: u64 = 40;
const BYTES: u64 = 250;
const WRITES: u64 = 5;

/// Something that goes wrong in a touch. Units are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TouchFault {
    /// The phones part before this unit arrives.
    Cut {
        /// Which unit.
        unit: usize,
    },
    /// Only the first bytes of a unit arrive; the phones part, and both are switched off and on
    /// again.
    Torn {
        /// Which unit.
        unit: usize,
        /// How many bytes arrive, of at most as many as it has.
        bytes: usize,
    },
    /// Only the first bytes of a unit arrive, and pass for the whole.
    Short {
        /// Which unit.
        unit: usize,
        /// How many bytes arrive, of at most as many as it has.
        bytes: usize,
    },
    /// A bit of a unit changes, and the check sum of the air does not notice.
    Changed {
        /// Which unit.
        unit: usize,
        /// Which byte, from the end.
        byte: usize,
        /// Which bit.
        bit: u8,
    },
    /// From this unit on, those of an earlier touch arrive instead.
    Replayed {
        /// The first unit.
        unit: usize,
    },
    /// A phone stops at a write of its book, and starts again after the touch.
    Stopped {
        /// The payer's or the payee's.
        is_payer: bool,
        /// At which write.
        plan: CrashPlan,
    },
    /// A message to the host, or its answer, is lost, late or doubled.
    Host {
        /// The payer's or the payee's.
        is_payer: bool,
        /// What happens to it.
        plan: HostPlan,
    },
    /// The holder looks at the screen for so long.
    Slow {
        /// Seconds.
        seconds: u64,
    },
    /// The holder says no.
    Declined,
}

impl TouchFault {
    /// The kinds of fault, by their words.
    pub const WORDS: &'static [&'static str] = &[
        "phones part",
        "unit torn",
        "unit cut",
        "unit changed",
        "units of before played again",
        "phone stopped before a write",
        "phone stopped after a write",
        HostPoint::RequestLost.word(),
        HostPoint::AnswerLost.word(),
        HostPoint::Twice.word(),
        HostPoint::Down.word(),
        HostPoint::Late.word(),
        HostPoint::Delayed.word(),
        "holder slow",
        "holder declined",
    ];

    /// One at random.
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let unit = draw.below(UNITS) as usize;
        match draw.below(16) {
            0..3 => Self::Cut { unit },
            3..5 => Self::Torn { unit, bytes: draw.below(BYTES) as usize },
            5 => Self::Short { unit, bytes: draw.below(BYTES) as usize },
            6..8 => Self::Changed { unit, byte: draw.below(BYTES) as usize, bit: draw.below(8) as u8 },
            8 => Self::Replayed { unit },
            9..12 => {
                let (write, committed) = (draw.below(WRITES) as usize, draw.one_in(2));
                Self::Stopped { is_payer: draw.one_in(2), plan: CrashPlan { write, committed } }
            }
            12..14 => Self::Host { is_payer: draw.one_in(2), plan: host(draw) },
            14 => Self::Slow { seconds: 60 + draw.below(120) },
            _ => Self::Declined,
        }
    }

    /// Its kind, one of [`Self::WORDS`].
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Cut { .. } => "phones part",
            Self::Torn { .. } => "unit torn",
            Self::Short { .. } => "unit cut",
            Self::Changed { .. } => "unit changed",
            Self::Replayed { .. } => "units of before played again",
            Self::Stopped { plan: CrashPlan { committed: false, .. }, .. } => "phone stopped before a write",
            Self::Stopped { .. } => "phone stopped after a write",
            Self::Host { plan, .. } => plan.point.word(),
            Self::Slow { .. } => "holder slow",
            Self::Declined => "holder declined",
        }
    }
}

/// A fault on the way to the host.
pub(super) fn host(draw: &mut Draw) -> HostPlan {
    let point = draw.pick(HostPoint::ALL).unwrap_or(HostPoint::AnswerLost);
    HostPlan { message: draw.below(2) as usize, point }
}

impl fmt::Display for TouchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = |is_payer| if is_payer { "payer" } else { "payee" };
        match self {
            Self::Cut { unit } | Self::Replayed { unit } => write!(f, "{} at unit {unit}", self.word()),
            Self::Torn { unit, bytes } => write!(f, "unit {unit} torn after {bytes} bytes"),
            Self::Short { unit, bytes } => write!(f, "unit {unit} cut to {bytes} bytes"),
            Self::Changed { unit, byte, bit } => {
                write!(f, "unit {unit}, byte {byte} from its end, bit {bit} changed")
            }
            Self::Stopped { is_payer, plan } => {
                write!(f, "{}'s {} (write {})", who(*is_payer), self.word(), plan.write)
            }
            Self::Host { is_payer, plan } => {
                write!(f, "{}'s {} (message {})", who(*is_payer), self.word(), plan.message)
            }
            Self::Slow { seconds } => write!(f, "holder looks for {seconds} s"),
            Self::Declined => f.write_str("holder says no"),
        }
    }
}
