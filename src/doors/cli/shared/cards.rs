//! The cards of `--reader`, for cases that are played here or elsewhere.

use crate::doors::cli::shared::failure::Failure;
use crate::doors::cli::shared::readers::{all_kept, reader_list};
use crate::doors::cli::shared::scene::kept_file;
use crate::doors::cli::shared::switches::Switches;
use crate::observers::campaign::{Cards, SealOpener};
use crate::world::{CardName, ReaderAddress};

/// The cards of `--reader`: fresh ones, or a list of those that are kept.
pub(in crate::doors::cli) fn cards<'a>(
    switches: &Switches,
    seal: &'a SealOpener<'a>,
) -> Result<Cards<'a>, Failure> {
    match wanted_cards(switches)? {
        Wanted::Fresh(name) => Ok(Cards::Fresh(name)),
        Wanted::Kept(addresses) => {
            for (_, address) in &addresses {
                if let ReaderAddress::Simulated(name) = address {
                    kept_file(name)?;
                }
            }
            Ok(Cards::Kept { addresses, allowed: switches.allow, options: switches.options(), seal })
        }
    }
}

/// The cards that are wanted, here or on other machines.
pub(in crate::doors::cli) enum Wanted {
    Fresh(Option<CardName>),
    Kept(Vec<(String, ReaderAddress)>),
}

pub(in crate::doors::cli) fn wanted_cards(switches: &Switches) -> Result<Wanted, Failure> {
    let Some(named) = &switches.reader else { return Ok(Wanted::Fresh(None)) };
    let list = reader_list(named)?;
    if let [(_, ReaderAddress::Simulated(name @ (CardName::Profile(_) | CardName::ProfileFile(_))))] =
        list.as_slice()
    {
        return Ok(Wanted::Fresh(Some(name.clone())));
    }
    all_kept(&list)?;
    Ok(Wanted::Kept(list))
}
