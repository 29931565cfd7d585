//! What a terminal says to a host and what it hears back, as a trait that every
//! host implements, in process or remote.
