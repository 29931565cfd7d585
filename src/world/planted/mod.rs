//! Faults that are planted on purpose, to see that a case finds them: each changes what one
//! side says, from outside. No role knows of them; tests and `test --plant` alone ask for one.

mod answer;
mod card;
mod fault;
mod host;
mod lists;
mod terminal;

pub use card::CARD_FAULTS;
pub use fault::{Change, Fault, MessageChange, On, Planted};
pub(super) use host::planted_host;
pub use terminal::TERMINAL_FAULTS;
