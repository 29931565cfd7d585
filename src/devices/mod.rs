//! Things made of roles: a phone, a transit gate. A device knows roles and what is below them;
//! who sits around it is the world's business.

pub mod gate;
pub mod wallet;
