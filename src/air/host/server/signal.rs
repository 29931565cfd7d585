//! The system asks the process to end: SIGTERM, or SIGINT as Ctrl-C sends it.

use std::io;
use std::pin::Pin;
use tokio::runtime::{Builder, Runtime};

/// Listens for the signal from its making on, so that none is missed.
pub struct EndSignal {
    runtime: Runtime,
    told: Pin<Box<dyn Future<Output = ()>>>,
}

impl EndSignal {
    /// From here on the signals no longer end the process.
    pub fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let told = {
            let _inside = runtime.enter();
            told()?
        };
        Ok(Self { runtime, told })
    }

    /// Waits for one.
    pub fn wait(self) {
        self.runtime.block_on(self.told);
    }
}

#[cfg(unix)]
fn told() -> io::Result<Pin<Box<dyn Future<Output = ()>>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(Box::pin(async move {
        tokio::select! {
            _ = end.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}

#[cfg(not(unix))]
fn told() -> io::Result<Pin<Box<dyn Future<Output = ()>>>> {
    Ok(Box::pin(async {
        // Where the system has no such signal, nothing ends the wait.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }))
}
