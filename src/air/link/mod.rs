//! Links to a card: traits, drivers, and wrappers that add behaviour. No payment
//! word may enter.

mod air;
mod byte_link;
mod card;
#[cfg(target_os = "linux")]
pub mod diagnosis;
mod driver;
mod fault;
mod guard;
mod in_process;
pub mod iso_dep;
mod known_reader;
#[cfg(unix)]
mod lines;
mod nfc_dep;
mod parts;
mod patience;
#[cfg(feature = "pcsc")]
pub mod pcsc;
mod peer;
#[cfg(feature = "serial")]
pub mod pn532;
mod record;
mod t0;
mod udp;
mod vpcd;
mod watch;

pub use air::{Air, Heard, Modulation, ModulationError, RfFrame, Technology};
pub use byte_link::{ByteLink, Cut, WireControl, WireExchange, WirePlan};
pub use card::{Activation, Card, Interface, LinkError, RadioIdentity, Reader, Target, TargetRequest};
pub use driver::{OpenReader, Protocol, ReaderDriver, ReaderOptions, ReaderStatus, TargetDriver};
pub use fault::{Fault, FaultControl, FaultPlan, FaultPoint};
pub use guard::{Guard, Judge};
pub use in_process::{Endpoint, InProcess};
pub use known_reader::{KnownReader, Quirk, ReachedBy};
#[cfg(unix)]
pub use lines::{AnswerLine, answer_lines, ask_lines};
pub use nfc_dep::{
    Greeting, Identity, Initiator, InitiatorTalk, Met, NfcDepTarget, Polling, Presence, PresenceStep,
    TargetTalk,
};
pub use peer::{Peer, PeerActivation};
pub use record::Record;
pub use t0::T0;
pub use udp::{UdpAir, UdpEnd};
pub use vpcd::Vpcd;
pub use watch::{Seen, Sighting, Watcher};

/// The drivers of real readers. Simulated cards are no reader of a driver: `world` opens those.
pub const READERS: &[ReaderDriver] = &[
    #[cfg(feature = "pcsc")]
    pcsc::DRIVER,
    #[cfg(feature = "serial")]
    pn532::DRIVER,
];

/// The drivers of places where a card can be served.
pub const TARGETS: &[TargetDriver] = &[
    vpcd::DRIVER,
    #[cfg(feature = "serial")]
    pn532::TARGET_DRIVER,
    iso_dep::DRIVER,
];
