//! Properties of words: every command goes both ways, nothing panics on arbitrary
//! bytes, and no mask lets a PAN through.

mod arbitrary_bytes;
mod commands;
mod masking;
mod primitives;
