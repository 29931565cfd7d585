//! Plays a case's Lua: what the script asks for is done by the same hands that play lines of
//! text, so that exchanges, effects, failures and reports are the same.

mod function;
mod known;
mod play;
mod value;

pub(super) use function::OnFunction;
