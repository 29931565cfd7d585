//! Why a card cannot be made, read from its file or kept.

use crate::base::store::SealedError;
use crate::words::emv::cryptogram::CryptogramError;
use crate::words::tlv::Tag;

/// What went wrong with a profile, an order or a card file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// No profile of this name is built in.
    #[error("expected one of the profiles {known}, found {found:?}; a profile of your own is sim:FILE.toml")]
    NoProfile {
        /// What was asked for.
        found: String,
        /// The names there are.
        known: String,
    },
    /// The text is no profile: TOML, an unknown key, a missing one.
    #[error("card profile: {cause}")]
    Toml {
        /// What the reader of TOML says, with line and column.
        cause: String,
    },
    /// A profile that reads well and makes no sense.
    #[error("card profile {profile}: {what}")]
    Profile {
        /// Its name.
        profile: String,
        /// What was expected, what is there and where.
        what: String,
    },
    /// The order gives a balance that the profile does not have.
    #[error("expected an initial balance of a data object that profile {profile} has, found {tag}")]
    NoBalance {
        /// The profile.
        profile: String,
        /// The data object.
        tag: Tag,
    },
    /// The order gives a balance over the profile's limit.
    #[error("expected an initial balance of at most {limit_minor} minor units in {tag}, found {found_minor}")]
    BalanceLimit {
        /// The data object.
        tag: Tag,
        /// The limit, minor units.
        limit_minor: u64,
        /// What was ordered, minor units.
        found_minor: u64,
    },
    /// The PIN of the order is not 4 to 12 digits.
    #[error("expected a PIN of 4 to 12 decimal digits in the card order, found {found} characters")]
    Pin {
        /// How many characters came.
        found: usize,
    },
    /// The cryptogram could not be made.
    #[error(transparent)]
    Cryptogram(#[from] CryptogramError),
    /// The file is no card file.
    #[error("expected a card file (made by `cardwright card new`) in {path}, found something else")]
    NoCardFile {
        /// The file.
        path: String,
    },
    /// The file was written by a later version of the program.
    #[error(
        "card file {path} has version {found}, this program reads up to {known}: use the program that wrote it"
    )]
    Later {
        /// The file.
        path: String,
        /// Its version.
        found: u16,
        /// The latest that is read.
        known: u16,
    },
    /// The file cannot be opened with this key.
    #[error("card file {path}: {cause}; it opens only with the sealing key it was written with (--seal-key)")]
    Sealed {
        /// The file.
        path: String,
        /// Why.
        cause: SealedError,
    },
    /// The file opened, and its insides are no card.
    #[error("card file {path} does not hold a card of this version: {cause}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// Another process has the card.
    #[error("card file {path} is in use by another process: a card is in one reader at a time")]
    InUse {
        /// The file.
        path: String,
    },
    /// A card's file with more than one name.
    #[error(
        "card file {path} has {links} names (hard links): a card is written anew at each step, so that one \
         name would keep money that the other has spent; remove the others, or use symbolic links"
    )]
    HardLinked {
        /// The file.
        path: String,
        /// How many names it has.
        links: u64,
    },
    /// The file system refused.
    #[error("could not {doing} {path}: {cause}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        cause: String,
    },
}
