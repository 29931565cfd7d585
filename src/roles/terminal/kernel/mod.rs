//! Kernels: each is a chart of phases, begun by one function once its application is selected.

mod c2;
mod c3;
mod contact;
mod full_path;
mod quick;

use super::kernel_row::Kernel;

/// The kernels of this terminal.
pub const KERNELS: &[Kernel] = &[contact::KERNEL, c2::KERNEL, c3::KERNEL, quick::KERNEL, full_path::KERNEL];

/// The kernel of cards with contacts.
pub(super) const CONTACT: &Kernel = &contact::KERNEL;
