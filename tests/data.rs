//! Data-driven tests: every vector, script and counterpart is a named test.

// Counterparts are started in namespaces, which Linux has.
#[cfg(target_os = "linux")]
mod counterparts;
#[cfg(target_os = "linux")]
mod support;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    #[allow(unused_mut)]
    let mut trials: Vec<Trial> = Vec::new();
    #[cfg(target_os = "linux")]
    trials.extend(counterparts::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
