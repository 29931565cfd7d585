//! How long a script has worked by itself, and at which line it was last. The thread that
//! looks at it ends the process, since nothing else stops every script.

use super::wire::Said;
use crate::base::context::Context;
use crate::base::event::Discard;
use std::io::Write;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// Where a worker speaks.
pub(super) type Output = Arc<Mutex<Box<dyn Write + Send>>>;

/// A script at work.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When it began to work, microseconds; 0 while it waits for an answer.
    since: AtomicI64,
    /// How long it worked before, microseconds.
    used: AtomicI64,
    line: AtomicUsize,
}

impl Watch {
    /// The script works from now on.
    pub(super) fn work(&self) {
        self.since.store(now(), Ordering::SeqCst);
    }

    /// The script waits from now on.
    pub(super) fn wait(&self) {
        let since = self.since.swap(0, Ordering::SeqCst);
        if since != 0 {
            self.used.fetch_add(now() - since, Ordering::SeqCst);
        }
    }

    /// The script is at a line.
    pub(super) fn at(&self, line: usize) {
        self.line.store(line, Ordering::Relaxed);
    }

    /// The line where the script was last.
    pub(super) fn line(&self) -> Option<usize> {
        Some(self.line.load(Ordering::Relaxed)).filter(|line| *line > 0)
    }

    fn worked_micros(&self) -> i64 {
        match self.since.load(Ordering::SeqCst) {
            0 => 0,
            since => self.used.load(Ordering::SeqCst) + now() - since,
        }
    }

    /// Looks at a script from a thread of its own, and ends the process when it has worked
    /// for too long.
    pub(super) fn keep(self: &Arc<Self>, time_ms: u64, output: &Output) {
        let (watch, output) = (Arc::clone(self), Arc::clone(output));
        let limit = i64::try_from(time_ms).unwrap_or(i64::MAX).saturating_mul(1000);
        std::thread::spawn(move || {
            while watch.worked_micros() <= limit {
                std::thread::sleep(LOOK);
            }
            say(&output, &Said::Stopped { line: watch.line() });
            std::process::exit(1);
        });
    }
}

/// Says something; whether somebody hears it.
pub(super) fn say(output: &Output, said: &Said) -> bool {
    let text = serde_json::json!(said).to_string() + "\n";
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).is_ok()
}

fn now() -> i64 {
    Context::system(Discard).now().micros()
}
