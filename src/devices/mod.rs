//! Things made of roles: a phone. A device knows roles and what is below them; who
//! sits around it is the world's business.

pub mod wallet;
