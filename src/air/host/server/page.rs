//! The page of figures: plain HTTP on the loopback device, in the Prometheus text format.

use crate::air::host::Metrics;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Readers at once.
const READERS: usize = 16;
/// The longest request that is looked at, bytes.
const REQUEST_BYTES: usize = 2048;
/// How long a reader may take, all in all.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listens, on the loopback device alone: figures are for this machine.
pub(super) async fn bind(listen: &str) -> io::Result<TcpListener> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("the page of figures at {listen}: {error}"));
    let listener = TcpListener::bind(listen).await.map_err(named)?;
    if !listener.local_addr()?.ip().is_loopback() {
        let error =
            io::Error::new(io::ErrorKind::InvalidInput, "expected a loopback address such as 127.0.0.1:9100");
        return Err(named(error));
    }
    Ok(listener)
}

/// Serves until its runtime ends.
pub(super) async fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    let mut readers = JoinSet::new();
    loop {
        let Ok((line, _)) = listener.accept().await else {
            sleep(super::NO_DESCRIPTOR_REST).await;
            continue;
        };
        while readers.try_join_next().is_some() {}
        if readers.len() >= READERS {
            continue;
        }
        let metrics = Arc::clone(&metrics);
        readers.spawn(async move { timeout(PATIENCE, answer(line, &metrics)).await });
    }
}

async fn answer(mut line: TcpStream, metrics: &Metrics) -> io::Result<()> {
    let mut request = Vec::new();
    let mut piece = [0; 512];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        let length = line.read(&mut piece).await?;
        if length == 0 || request.len() > REQUEST_BYTES {
            return Ok(());
        }
        request.extend_from_slice(piece.get(..length).unwrap_or_default());
    }
    let (status, body) = match request.starts_with(b"GET /metrics ") {
        true => ("200 OK", metrics.to_prometheus()),
        false => ("404 Not Found", "the figures are at /metrics\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    line.write_all(head.as_bytes()).await?;
    line.write_all(body.as_bytes()).await?;
    line.shutdown().await
}
