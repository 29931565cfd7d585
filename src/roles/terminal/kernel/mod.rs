//! Kernels: each is a chart of phases, begun by one function.

mod c2;
mod contact;
mod quick;

use super::kernel_row::Kernel;
pub use c2::{C2, RelayLimits};

/// The kernels of this terminal.
pub const KERNELS: &[Kernel] = &[contact::KERNEL, contact::FULL_CONTACTLESS, quick::KERNEL];
