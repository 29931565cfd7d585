//! The stage: the only place where sides meet. It opens addresses, joins a
//! terminal, a card and a host, and checks the money invariant.

mod address;
mod authority;
mod bench;
mod books;
mod card;
#[cfg(all(unix, feature = "serial"))]
mod chip;
mod draw;
mod error;
pub mod gate;
mod host;
mod issue;
mod parallel;
pub mod planted;
mod position;
mod recorded;
mod replacement;
mod rule;
mod seat;
pub mod seeds;
mod served_bench;
mod stage;
pub mod tear;
mod tokens;
mod told_answer;
mod toml_change;
pub mod transfer;
pub mod wallet;
mod watch;
mod witness;

pub use address::{
    AddressError, AirAddress, CardName, ChipAddress, HostAddress, PeerAddress, ReaderAddress, StoreAddress,
    TargetAddress,
};
pub use authority::{AUTHORITY_FILE, make_authority, open_authority};
pub use bench::{Bench, Deed, Ended, Order, TerminalUnderTest};
pub use books::{
    KEY_FILE, open_books, open_books_with, open_journal, open_target, read_text, seal_key, store_db,
};
pub use card::{Opened, Origin, Permit, load_profile, open_card, open_sam, open_simulated};
#[cfg(all(unix, feature = "serial"))]
pub use chip::{Lies, open_chip};
pub use error::WorldError;
pub use host::{
    Forwarding, Serving, Wrap, add_link, add_terminal, open_terminals, remote_host, serve_acquirer,
    serve_host, serve_tokens,
};
pub use issue::{DEFAULT_PIN, NewCard, issue_card, issue_card_under, new_card_memory, order_for};
pub use parallel::in_parallel;
pub use position::Position;
pub use recorded::{open_replay, open_trace, profile_of};
pub use replacement::{FormerCard, renew_card, replace_card};
pub use rule::Rule;
pub use seat::{FreshCard, FreshCards, Seat};
pub use served_bench::{HostPlace, ServedBench};
pub use stage::{Sale, Stage, refund_sale};
pub use tokens::{
    TOKEN_KEY_FILE, TOKEN_PROFILE, TOKEN_VERSION, before_issuer, has_vault, open_tokens, open_vault,
    open_vault_in, rotate_token_key, token_bureau, token_host,
};
pub use told_answer::answer_with_code;
pub use toml_change::TomlChange;
pub use watch::Watch;
pub use witness::{Transition, Transitions, Witness};
