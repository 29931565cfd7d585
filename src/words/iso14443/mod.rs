//! ISO/IEC 14443: what frames on radio are made of, and how long they take. Nothing of
//! a payment may enter, and nothing that sends.

mod on_air;

pub use on_air::{ApduCost, BitRate, Cycles, FRAME_SIZES, OnAir};
