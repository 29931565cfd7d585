//! Data-driven tests: every vector, script and counterpart is a named test.

// Counterparts are started in namespaces, which Linux has.
#[cfg(target_os = "linux")]
mod counterparts;
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "the other binary uses the rest")]
mod support;

use libtest_mimic::{Arguments, Trial};

#[path = "support/causes.rs"]
mod causes;
#[path = "support/certification.rs"]
mod certification;
#[path = "support/city_card.rs"]
mod city_card;
#[path = "support/city_dumps.rs"]
mod city_dumps;
#[cfg(target_os = "linux")]
#[path = "support/counterpart_openssl.rs"]
mod counterpart_openssl;
#[path = "support/counterpart_pyemv.rs"]
mod counterpart_pyemv;
#[path = "support/decisions.rs"]
mod decisions;
#[path = "support/emv_terminal.rs"]
#[allow(clippy::unwrap_used)]
mod emv_terminal;
#[path = "support/scripts.rs"]
mod scripts;
#[path = "support/vector_kinds.rs"]
mod vector_kinds;
#[path = "support/vectors.rs"]
mod vectors;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(vectors::trials());
    trials.extend(decisions::trials());
    trials.extend(city_dumps::trials());
    trials.extend(scripts::trials());
    trials.extend(certification::trials());
    trials.extend(counterpart_pyemv::trials());
    #[cfg(target_os = "linux")]
    trials.extend(counterparts::trials());
    #[cfg(target_os = "linux")]
    trials.extend(counterpart_openssl::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
