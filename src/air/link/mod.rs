//! Links to a card: traits, drivers, and wrappers that add behaviour. No payment
//! word may enter.

mod card;
mod fault;
mod guard;
mod in_process;
#[cfg(feature = "pcsc")]
pub mod pcsc;
mod record;
mod t0;

pub use card::{Activation, Card, Interface, LinkError, Reader, Target, TargetRequest};
pub use fault::{Fault, FaultPlan, FaultPoint};
pub use guard::{Guard, Judge};
pub use in_process::{Endpoint, InProcess};
pub use record::Record;
pub use t0::T0;
