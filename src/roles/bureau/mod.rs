//! The personalisation bureau: the test key set and the data of a new card.
//! What it makes reaches the other roles as data.

mod key_set;
mod token_card;

pub use key_set::KeySet;
pub use token_card::{TokenBureau, identifier};
