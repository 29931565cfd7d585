//! Two phones that touch, and the books of their host.

#[path = "p2p/cli.rs"]
mod cli;
#[path = "p2p/host.rs"]
mod host;
#[path = "p2p/kit.rs"]
mod kit;
#[path = "p2p/touch.rs"]
mod touch;
