//! `--reader` as a list of several seats.

use super::failure::Failure;
use super::scene::is_fresh;
use crate::world::ReaderAddress;

/// The addresses of a list, as they were written and as they are read.
pub(in crate::doors::cli) fn reader_list(named: &str) -> Result<Vec<(String, ReaderAddress)>, Failure> {
    // A reader's name may hold a comma: what is one address is no list.
    let texts: Vec<&str> = match ReaderAddress::parse(named) {
        Ok(ReaderAddress::Simulated(_)) | Err(_) if named.contains(',') => named.split(',').collect(),
        _ => vec![named],
    };
    let address = |text: &&str| Ok((text.trim().to_owned(), ReaderAddress::parse(text.trim())?));
    texts.iter().map(address).collect()
}

/// Refuses a fresh card among cards that are kept.
pub(in crate::doors::cli) fn all_kept(list: &[(String, ReaderAddress)]) -> Result<(), Failure> {
    match list.iter().any(|(_, address)| is_fresh(address)) {
        true => Err(Failure::Usage(
            "a list of readers holds cards that are kept: sim:FILE.card, wallet:DIR, pcsc:NAME-PART".into(),
        )),
        false => Ok(()),
    }
}
