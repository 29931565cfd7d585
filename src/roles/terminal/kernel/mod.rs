//! Kernels: each is a chart of phases, begun by one function.

mod contact;
mod quick;

use super::kernel_row::Kernel;

/// The kernels of this terminal.
pub const KERNELS: &[Kernel] = &[contact::KERNEL, contact::FULL_CONTACTLESS, quick::KERNEL];
