//! What a script finds: the functions of the language, by their registry, what it asks for,
//! and Lua's own without what reaches out or differs from run to run.

use super::CHUNK;
use super::wire::{Ask, Deed, Heard, Said, TEXT_LIMIT, Word};
use super::worker::{Pipe, failed};
use crate::observers::script::function::FUNCTIONS;
use mlua::{Error, Function, Lua, MultiValue, Result, Table, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// What is written in Lua itself.
const PRELUDE: &str = include_str!("prelude.lua");

/// The field of a table that `text` makes.
const QUOTED: &str = "text";

/// Where the functions of `on` are kept, by their numbers.
const FUNCTIONS_OF_ON: &str = "functions of on";

/// Deepest stack that is looked through for a line of the script.
const DEPTH_LIMIT: usize = 200;

/// Furnishes an interpreter.
pub(super) fn furnish(lua: &Lua, seed: i64, pipe: Pipe) -> Result<()> {
    let pipe = Rc::new(RefCell::new(pipe));
    let host = lua.create_table()?;
    for (name, deed) in Deed::ALL {
        let (deed, pipe) = (*deed, Rc::clone(&pipe));
        host.set(
            *name,
            lua.create_function(move |lua, values: MultiValue| asked(lua, deed, values, &pipe))?,
        )?;
    }
    let functions = lua.create_table()?;
    lua.set_named_registry_value(FUNCTIONS_OF_ON, &functions)?;
    let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    lua.load(PRELUDE).set_name("=prelude").call((host, names, seed, functions))
}

fn asked(lua: &Lua, deed: Deed, values: MultiValue, pipe: &RefCell<Pipe>) -> Result<MultiValue> {
    let words = values.iter().map(|value| word(value, true)).collect::<Result<_>>()?;
    let line = line(lua);
    pipe.borrow().watch.at(line);
    let mut said = Said::Ask(Ask { line, deed, words });
    loop {
        // A function that is run asks for things itself: nothing is held meanwhile.
        let heard = pipe.borrow_mut().say(&said).map_err(Error::runtime)?;
        said = match heard {
            Heard::Words(words) => return words.into_iter().map(|word| value(lua, word)).collect(),
            // Nobody catches its error: it is told, and ends the case.
            Heard::Run(number) => {
                run(lua, number).map_or_else(|error| failed(&error, Some(line)), Said::Gave)
            }
        };
    }
}

/// What a function of `on` gives.
fn run(lua: &Lua, number: usize) -> Result<Word> {
    let functions: Table = lua.named_registry_value(FUNCTIONS_OF_ON)?;
    word(&functions.get::<Function>(number)?.call(())?, false)
}

/// The line of the script that is being run.
fn line(lua: &Lua) -> usize {
    let of_level = |level| {
        lua.inspect_stack(level, |debug| {
            debug.current_line().filter(|_| debug.source().short_src.as_deref() == Some(CHUNK))
        })
    };
    (0..DEPTH_LIMIT).map_while(of_level).flatten().next().unwrap_or(1)
}

fn word(value: &Value, may_be_table: bool) -> Result<Word> {
    let text = |text: &mlua::LuaString| -> Result<String> {
        let text = text
            .to_str()
            .map_err(|_| Error::runtime("bytes are written in hexadecimal, and text in UTF-8"))?;
        match text.len() <= TEXT_LIMIT {
            true => Ok(text.to_owned()),
            false => {
                Err(Error::runtime(format!("expected at most {TEXT_LIMIT} characters, found {}", text.len())))
            }
        }
    };
    match value {
        Value::Nil => Ok(Word::Nothing),
        Value::Boolean(flag) => Ok(Word::Flag(*flag)),
        Value::Integer(number) => Ok(Word::Number(*number)),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Ok(Word::Number(*number as i64))
        }
        Value::Number(number) => Err(Error::runtime(format!(
            "expected a whole number, found {number}: amounts are counted in minor units, or written as \"12.50\""
        ))),
        Value::String(string) => text(string).map(Word::Text),
        Value::Table(table) => match table.raw_get::<Value>(QUOTED)? {
            Value::String(string) if table.raw_len() == 0 => text(&string).map(Word::Quoted),
            _ if may_be_table => named(table),
            _ => Err(Error::runtime("expected a value, found a table")),
        },
        other => Err(Error::runtime(format!("expected a value, found a {}", other.type_name()))),
    }
}

fn named(table: &Table) -> Result<Word> {
    let mut rows = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let key = match key {
            Value::String(key) => key.to_str()?.to_owned(),
            Value::Integer(key) => key.to_string(),
            _ => return Err(Error::runtime("expected names for values")),
        };
        rows.push((key, word(&value, false)?));
    }
    // The order of a table differs from run to run.
    rows.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
    Ok(Word::Named(rows))
}

fn value(lua: &Lua, word: Word) -> Result<Value> {
    Ok(match word {
        Word::Nothing | Word::Named(_) => Value::Nil,
        Word::Flag(flag) => Value::Boolean(flag),
        Word::Number(number) => Value::Integer(number),
        Word::Text(text) | Word::Quoted(text) => Value::String(lua.create_string(text)?),
    })
}
