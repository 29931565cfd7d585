//! Tests against software that no one here wrote. Each is a named trial, ignored with
//! its reason where the software is not installed.

mod acr122u;
mod bad_lines;
mod certified_elsewhere;
mod drop_in;
mod emulated;
mod jobs;
mod kills;
mod libnfc;
mod nfcpy;
mod nfcpy_asked;
mod our_card;
mod our_purse;
mod pn532;
mod private_reader;
mod programs;
mod reports;
mod timing;
mod watch;

use libtest_mimic::Trial;

/// Every trial of this folder.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = private_reader::trials();
    trials.extend(our_card::trials());
    trials.extend(our_purse::trials());
    trials.extend(certified_elsewhere::trials());
    trials.extend(drop_in::trials());
    trials.extend(emulated::trials());
    trials.extend(jobs::trials());
    trials.extend(kills::trials());
    trials.extend(libnfc::trials());
    trials.extend(nfcpy::trials());
    trials.extend(nfcpy_asked::trials());
    trials.extend(pn532::trials());
    trials.extend(bad_lines::trials());
    trials.extend(reports::trials());
    trials.extend(acr122u::trials());
    trials.extend(timing::trials());
    trials.extend(watch::trials());
    trials
}
