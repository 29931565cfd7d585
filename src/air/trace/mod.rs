//! The recording of a transaction: its file format and its masking. It is
//! written from events and never asks a role.
