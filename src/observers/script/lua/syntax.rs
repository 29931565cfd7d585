//! Whether a text is Lua. It is read, and not run.

use super::CHUNK;
use super::worker::placed;
use mlua::chunk::ChunkMode;
use mlua::{Error, Lua, LuaOptions, StdLib};

/// The memory that reading a script may use, bytes; a script has a mebibyte at most.
const MEMORY_BYTES: usize = 256 << 20;

/// Reads a text as Lua; what is wrong with it, and at which line.
pub(in crate::observers::script) fn check(text: &str) -> Result<(), (Option<usize>, String)> {
    let read = || {
        let lua = Lua::new_with(StdLib::NONE, LuaOptions::default())?;
        lua.set_memory_limit(MEMORY_BYTES)?;
        lua.load(text).set_name(format!("={CHUNK}")).set_mode(ChunkMode::Text).into_function().map(|_| ())
    };
    read().map_err(|error: Error| {
        let told = match &error {
            Error::SyntaxError { message, .. } => message.clone(),
            other => other.to_string(),
        };
        let (line, message) = placed(&told);
        (line, message.to_owned())
    })
}
