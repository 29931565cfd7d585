//! Jobs in a store that several machines share: put in by one, each played by one of the
//! others. What a job is about is not known here; it is text.

mod entry;
mod keeper;
mod schema;
mod state;
mod table;
mod watch;

pub use entry::{Claimed, Counts, Ended, NewCampaign, NewJob, Ticket};
pub(super) use keeper::Keeper;
pub use state::{JobEvent, JobState, MOST_CLAIMS, Standing};
pub use table::{Queue, Receipt};
