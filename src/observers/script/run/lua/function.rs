//! Functions of a script in Lua that are run when something comes, while a terminal under test
//! is at work: they give the lines of a block `on`.

use super::known::known;
use super::play::lines;
use super::value::text;
use crate::observers::script::lua::{Gone, Next, Running, Word};
use crate::observers::script::part::On;
use crate::observers::script::run::evaluate::Trouble;
use crate::observers::script::run::scope::Scope;
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Chunk, Statement, Step};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A function that waits for something.
#[derive(Clone)]
pub(in crate::observers::script::run) struct OnFunction {
    pub(super) running: Arc<Mutex<Running>>,
    pub(super) chunk: Arc<Chunk>,
    pub(super) number: usize,
    /// What it waits for, as the script says it.
    pub(super) what: String,
    pub(super) span: Span,
}

impl OnFunction {
    /// What it waits for.
    pub(super) fn on(&self) -> Result<Arc<On>, Trouble> {
        self.block("")
    }

    /// What is to be done with what has come.
    pub(in crate::observers::script::run) fn given(
        &self,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Statement>, Trouble> {
        lock(&self.running).run(self.number);
        loop {
            let next = lock(&self.running).next();
            match next {
                Ok(Next::Gave(Word::Nothing)) => return Ok(Vec::new()),
                Ok(Next::Gave(word)) => return Ok(self.block(&text(&word, self.span)?)?.statements.clone()),
                Ok(Next::Asks(ask)) => {
                    let span = Span { line: ask.line, ..self.span };
                    let Some(word) = known(&ask, &[], span, scope)? else {
                        let reason = "a function of `on` sends and plays nothing: it gives lines such as \"answer 6985\"";
                        return Err(Trouble::new(span, reason));
                    };
                    lock(&self.running).give(&[word]);
                }
                Err(Gone::Failed(line, why)) => {
                    let span = Span { line: line.unwrap_or(self.span.line), ..self.span };
                    return Err(Trouble::new(span, why));
                }
                Err(Gone::Done) => return Err(Trouble::new(self.span, "the script has ended meanwhile")),
            }
        }
    }

    /// A block of these lines.
    fn block(&self, text: &str) -> Result<Arc<On>, Trouble> {
        let block = format!("on {}\n{text}\nend", self.what);
        let read = lines(&block, self.span.line, &self.chunk, self.span)?;
        match read.into_iter().next() {
            Some(Statement { step: Step::On(on), .. }) => Ok(on),
            _ => Err(Trouble::new(self.span, "expected lines of one block")),
        }
    }
}

/// The worker, for one message.
pub(super) fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
