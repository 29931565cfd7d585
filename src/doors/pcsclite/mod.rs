//! The drop-in PC/SC library: simulated cards behind the interface that programs know as
//! `libpcsclite.so.1`, in their own process. No protocol of a card may enter; unsafe code
//! is in `abi` alone. `examples/pcsclite.rs` becomes the library.

mod abi;
mod code;
mod control;
mod exchange;
mod hand;
mod log;
mod reader;
mod seat;
mod service;
mod serving;
mod setup;
mod watch;

pub use abi::{begin, free_memory, list_reader_groups, stringify_error};
pub use code::Code;
use serving::{service, service_there};
