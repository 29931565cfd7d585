//! Lines of text over a Unix socket: one side asks, the other answers each line with
//! one. No payment word, and nothing of what the lines say.

use super::LinkError;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

/// The longest line, in bytes: an extended APDU in hexadecimal, and words around it.
const LONGEST: u64 = 1 << 18;

/// Answers a line.
pub type AnswerLine = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Listens at a path and answers lines, on threads of its own, until the process ends.
/// `Ok(false)` where a living process listens there already.
///
/// # Errors
/// The path cannot be used.
pub fn answer_lines(path: &Path, answer: AnswerLine) -> Result<bool, LinkError> {
    let failed = |cause: std::io::Error| io("listening", path, &cause);
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            if UnixStream::connect(path).is_ok() {
                return Ok(false);
            }
            // Left behind by a process that has ended.
            std::fs::remove_file(path).and_then(|()| UnixListener::bind(path)).map_err(failed)?
        }
        result => result.map_err(failed)?,
    };
    std::thread::Builder::new()
        .name("control".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                let talk = move || talk(&stream, &answer);
                // Without a thread for it, this one is not answered; the others are.
                let _ = std::thread::Builder::new().name("control line".into()).spawn(talk);
            }
        })
        .map_err(failed)?;
    Ok(true)
}

/// Asks each line at a path and gives the answers.
///
/// # Errors
/// Nobody listens there, or goes away before all is answered.
pub fn ask_lines(path: &Path, lines: &[String]) -> Result<Vec<String>, LinkError> {
    let failed = |doing, cause: &std::io::Error| io(doing, path, cause);
    let mut stream = UnixStream::connect(path).map_err(|cause| failed("connecting", &cause))?;
    let mut answers = BufReader::new(stream.try_clone().map_err(|cause| failed("connecting", &cause))?);
    let mut told = Vec::new();
    for line in lines {
        writeln!(stream, "{line}").map_err(|cause| failed("asking", &cause))?;
        let mut answer = String::new();
        answers.read_line(&mut answer).map_err(|cause| failed("waiting for an answer", &cause))?;
        if !answer.ends_with('\n') {
            return Err(failed("waiting for an answer", &ErrorKind::UnexpectedEof.into()));
        }
        told.push(answer.trim_end().to_owned());
    }
    Ok(told)
}

/// Answers the lines of one connection, until it ends or sends what is no line.
fn talk(stream: &UnixStream, answer: &AnswerLine) {
    let mut lines = BufReader::new(stream);
    let mut out = stream;
    loop {
        let mut line = String::new();
        match (&mut lines).take(LONGEST).read_line(&mut line) {
            Ok(_) if line.ends_with('\n') => {}
            _ => return,
        }
        if !line.trim().is_empty() && writeln!(out, "{}", answer(line.trim())).is_err() {
            return;
        }
    }
}

fn io(doing: &str, path: &Path, cause: &std::io::Error) -> LinkError {
    LinkError::Io { doing: format!("{doing} at {}", path.display()), cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_answered_and_a_socket_left_behind_is_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(UnixListener::bind(&path).unwrap());
        let shout: AnswerLine = Arc::new(|line| line.to_uppercase());
        assert_eq!(answer_lines(&path, Arc::clone(&shout)), Ok(true));
        assert_eq!(answer_lines(&path, shout), Ok(false), "one listens already");
        let lines = ["a", "b c"].map(String::from);
        assert_eq!(ask_lines(&path, &lines).unwrap(), ["A", "B C"]);
        let nowhere = folder.path().join("nowhere");
        assert!(matches!(ask_lines(&nowhere, &lines), Err(LinkError::Io { .. })));
    }

    #[test]
    fn what_is_no_line_ends_the_connection_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        answer_lines(&path, Arc::new(str::to_owned)).unwrap();
        for bytes in [&[0xFF, b'\n'][..], &[b'x'; LONGEST as usize + 1]] {
            let mut stream = UnixStream::connect(&path).unwrap();
            // The other side may have hung up before all is written.
            let _ = stream.write_all(bytes);
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            assert!(rest.is_empty());
        }
        assert_eq!(ask_lines(&path, &["still there".into()]).unwrap(), ["still there"]);
    }
}
