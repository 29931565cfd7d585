//! Scripts in Lua 5.4, for what lines of text cannot say. A case's Lua runs in a process of
//! its own, which is ended when it takes too long; nothing here speaks to a card.
//!
//! Why a process. What Lua itself offers to hold a script back does not: an error that a hook
//! raises is caught by `pcall` in a loop, and so is one for want of memory; functions written
//! in C (patterns that backtrack, `string.rep("", n)`, `table.remove` under a `__len` that
//! lies) are asked by no hook while they run, and neither are finalisers (`__gc`). Each of
//! these can be taken away or written anew, and the next one is found later. A process can be
//! ended whatever it does, and should the interpreter itself break, nothing else does. So a
//! script keeps the whole of `string`, `table`, `math`, `utf8` and `coroutine`. What is missing is
//! what reaches out or differs from run to run: `io`, `os`, `debug`, `load`, `require`,
//! `collectgarbage`, addresses, the order of `pairs`.
//!
//! Three things end a script. The worker has a limit of memory, which is an error in Lua like
//! any other. A second thread of the worker ends it when it has worked for too long by itself,
//! waiting for answers not counted, and says at which line. Should that fail, whoever started
//! it ends the process. Cards, keys and functions stay where the case is played: the worker
//! asks for one thing after another over a pipe, and each counts as a step.

mod environment;
mod interpreter;
mod syntax;
mod watch;
mod wire;
mod worker;

pub(super) use interpreter::{Gone, Next, Running};
pub use interpreter::{Interpreter, LuaLimits};
pub(super) use syntax::check;
pub(super) use wire::{Ask, Deed, Word};
pub use worker::interpret;

/// The name of a script's text within the interpreter; messages of Lua begin with it.
const CHUNK: &str = "script";
