//! ISO/IEC 14443: what frames on radio are made of, and how long they take. Nothing of
//! a payment may enter, and nothing that sends.

mod ats;
mod block;
mod crc;
mod error;
mod on_air;
mod type_a;
mod type_b;

pub use ats::{Ats, Pps, Rats, frame_size, frame_waiting_time};
pub use block::Block;
pub use crc::crc_a;
pub use error::Iso14443Error;
pub use on_air::{ApduCost, BitRate, Cycles, FRAME_SIZES, OnAir};
pub use type_a::{ALL_REQ, CASCADE_TAG, NVB_ALL, NVB_NONE, SEL, SENS_REQ, SLP_REQ, SelRes, Uid, check_byte};
pub use type_b::{Attrib, SensbReq, SensbRes};
