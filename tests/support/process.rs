//! Programs run with a time limit and ended by their own handle.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Long enough for what comes at once, on a machine at a tenth of its speed. Whoever waits so long
/// waits for something to happen, and goes on as soon as it has.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its exit code, if it ended by itself.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it complained of.
    pub(crate) stderr: String,
}

impl Answer {
    /// Whether it ended with 0.
    pub(crate) fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// Runs a program with this input to its end.
///
/// # Errors
/// It does not start, or is not done in time; then it is ended.
pub(crate) fn run(command: &mut Command, input: &str, limit: Duration) -> Result<Answer, String> {
    Running::begin(command, input)?.end(limit)
}

/// A program that is under way.
pub(crate) struct Running {
    child: OwnChild,
    name: String,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Running {
    /// Starts a program with this input.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn begin(command: &mut Command, input: &str) -> Result<Self, String> {
        let name = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = OwnChild(command.spawn().map_err(|error| format!("{name}: {error}"))?);
        let stdout = reader(child.0.stdout.take());
        let stderr = reader(child.0.stderr.take());
        if let Some(mut stdin) = child.0.stdin.take() {
            // A program that reads nothing closes its end: that is its choice.
            let _ = stdin.write_all(input.as_bytes());
        }
        Ok(Self { child, name, stdout, stderr })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It is not done in time; then it is ended.
    pub(crate) fn end(self, limit: Duration) -> Result<Answer, String> {
        let Self { mut child, name, stdout, stderr } = self;
        let ended = wait_until(limit, || child.0.try_wait().ok().flatten());
        drop(child);
        let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
        let Some(status) = ended else {
            return Err(format!("{name}: not done after {limit:?}\n{stdout}\n{stderr}"));
        };
        Ok(Answer { code: status.code(), stdout, stderr })
    }
}

/// A program that ends with its handle.
#[derive(Debug)]
pub(crate) struct OwnChild(pub(crate) Child);

impl Drop for OwnChild {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until there is an answer or the time is over.
pub(crate) fn wait_until<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if begin.elapsed() > limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Reads an output to its end on a thread of its own, so that no pipe fills up.
fn reader(output: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut output) = output {
            let _ = output.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
