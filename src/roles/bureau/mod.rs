//! The personalisation bureau: the test key set and the data of a new card.
//! What it makes reaches the other roles as data.

mod key_set;
mod preparation;

pub use key_set::KeySet;
pub use preparation::{TOKEN_VERSION, TokenBureau};
