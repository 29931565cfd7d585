//! Many lines to one host, on tokio: the only asynchronous room. It reads frames
//! and writes them; whole messages go over a bounded queue to worker threads, each
//! with a host of its own. A line that is slow, silent or talks nonsense costs itself
//! alone: it holds one small task, a buffer only while a frame comes in, and time
//! limits run on all that it does.

mod page;
mod signal;

pub use signal::EndSignal;

use super::desk::{Desk, MasterKeys, Reply};
use super::metrics::{Metrics, add, sub};
use super::{Delivery, Host, HostError};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::words::iso8583::{Dialect, Frame};
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long accepting rests when no descriptor is free.
const NO_DESCRIPTOR_REST: Duration = Duration::from_millis(50);

/// What a server allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lines open at once; one more is closed when it comes.
    pub lines: usize,
    /// The longest frame, bytes after its length.
    pub frame_bytes: usize,
    /// How long a line may say nothing, milliseconds.
    pub idle_ms: u64,
    /// From the first byte of a frame to its last, and for an answer to be taken,
    /// milliseconds.
    pub frame_ms: u64,
    /// Refused messages in a row (unknown terminal, wrong code) until a line is closed.
    pub refusals: u32,
    /// Messages that wait for a worker; when they are so many, lines are read no further.
    pub queue: usize,
    /// Worker threads.
    pub workers: usize,
    /// How long a stop waits for messages under way, milliseconds.
    pub grace_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lines: 20_000,
            frame_bytes: 4096,
            idle_ms: 300_000,
            frame_ms: 10_000,
            refusals: 3,
            queue: 1024,
            workers: 4,
            grace_ms: 10_000,
        }
    }
}

/// Makes the host and the context of a worker.
pub type WorkerMaker = Arc<dyn Fn() -> Result<(Box<dyn Host>, Context), HostError> + Send + Sync>;

/// What a server is made of.
#[derive(Clone)]
pub struct Setup {
    /// How messages are written.
    pub dialect: Dialect,
    /// What it allows.
    pub limits: Limits,
    /// The terminals' master keys.
    pub masters: MasterKeys,
    /// Working keys come from it. Hosts that serve the same terminals share it.
    pub seed: Secret<[u8; 16]>,
    /// Makes the host and the context of one worker, in its thread.
    pub worker: WorkerMaker,
    /// Where the page of figures is, `HOST:PORT` on the loopback device; none, no page.
    pub metrics: Option<String>,
}

/// A running server. Dropped, it stops.
pub struct Server {
    address: SocketAddr,
    page: Option<SocketAddr>,
    metrics: Arc<Metrics>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// A message and where its answer goes.
struct Job {
    message: Vec<u8>,
    reply: oneshot::Sender<Reply>,
}

impl Server {
    /// Listens at `HOST:PORT` (port 0: any) and serves until it is stopped.
    pub fn start(listen: &str, setup: Setup) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(listen))?;
        let address = listener.local_addr()?;
        let bound = |listen: &str| runtime.block_on(page::bind(listen));
        let page = setup.metrics.as_deref().map(bound).transpose()?;
        let page_address = page.as_ref().map(TcpListener::local_addr).transpose()?;
        let metrics = Arc::new(Metrics::default());
        let (stop, stopping) = watch::channel(false);
        let (jobs, queue) = mpsc::channel(setup.limits.queue.max(1));
        let queue = Arc::new(Mutex::new(queue));
        let mut threads = Vec::new();
        let spawn =
            |name: String, body: Box<dyn FnOnce() + Send>| std::thread::Builder::new().name(name).spawn(body);
        for number in 0..setup.limits.workers.max(1) {
            let (setup, queue, metrics) = (setup.clone(), Arc::clone(&queue), Arc::clone(&metrics));
            let body = move || work(&setup, &queue, &metrics);
            threads.push(spawn(format!("host worker {number}"), Box::new(body))?);
        }
        let lines = Lines { setup: Arc::new(setup), metrics: Arc::clone(&metrics), jobs, stopping };
        let body = move || {
            if let Some(page) = page {
                runtime.spawn(page::serve(page, Arc::clone(&lines.metrics)));
            }
            runtime.block_on(lines.accept(listener));
        };
        threads.push(spawn("host lines".into(), Box::new(body))?);
        Ok(Self { address, page: page_address, metrics, stop, threads })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its page of figures is.
    pub fn page(&self) -> Option<SocketAddr> {
        self.page
    }

    /// What it has counted so far.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// Stops gracefully: no new line, no new message; what is under way is answered.
    pub fn stop(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has ended too.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.finish();
    }
}

/// One worker: a host of its own, made again should it panic.
fn work(setup: &Setup, queue: &Mutex<mpsc::Receiver<Job>>, metrics: &Metrics) {
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
    while let Some(job) = next() {
        let Ok((host, mut context)) = (setup.worker)() else {
            add(&metrics.host_failures);
            // Dropped, the job's line closes: the terminal learns that it has no answer.
            continue;
        };
        let mut desk = Desk::new(setup.dialect.clone(), Arc::clone(&setup.masters), setup.seed.clone(), host);
        let mut job = Some(job);
        while let Some(Job { message, reply }) = job.take().or_else(next) {
            let handled = catch_unwind(AssertUnwindSafe(|| desk.handle(&message, &mut context)));
            let Ok(answer) = handled else {
                add(&metrics.host_failures);
                break;
            };
            // A line that has gone does not want it.
            let _ = reply.send(answer);
        }
    }
}

/// What every line needs.
#[derive(Clone)]
struct Lines {
    setup: Arc<Setup>,
    metrics: Arc<Metrics>,
    jobs: mpsc::Sender<Job>,
    stopping: watch::Receiver<bool>,
}

impl Lines {
    async fn accept(self, listener: TcpListener) {
        let mut open = JoinSet::new();
        let mut stopping = self.stopping.clone();
        loop {
            let accepted = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => break,
                Some(_) = open.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((line, _)) if open.len() < self.setup.limits.lines => {
                    add(&self.metrics.lines_accepted);
                    let lines = self.clone();
                    open.spawn(async move { lines.serve(line).await });
                }
                Ok(_) => add(&self.metrics.lines_refused),
                Err(_) => {
                    // No descriptor is free, or the peer has gone already: lines that
                    // are open go on, and new ones wait in the kernel's queue.
                    add(&self.metrics.accept_errors);
                    sleep(NO_DESCRIPTOR_REST).await;
                }
            }
        }
        drop(listener);
        let grace = Duration::from_millis(self.setup.limits.grace_ms);
        let _ = timeout(grace, async { while open.join_next().await.is_some() {} }).await;
        open.abort_all();
    }

    async fn serve(self, mut line: TcpStream) {
        let _open = Open::new(&self.metrics);
        let _ = line.set_nodelay(true);
        let mut stopping = self.stopping.clone();
        let mut refusals = 0;
        loop {
            let message = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => break,
                message = self.frame(&mut line) => message,
            };
            let Some(message) = message else { break };
            add(&self.metrics.messages);
            let (reply, answer) = oneshot::channel();
            if self.jobs.send(Job { message, reply }).await.is_err() {
                break;
            }
            let mut delivery = Delivery::default();
            let bytes = match answer.await {
                Ok(Reply::Answer(bytes)) => {
                    refusals = 0;
                    bytes
                }
                Ok(Reply::AsTold(bytes, told)) => {
                    (refusals, delivery) = (0, told);
                    bytes
                }
                Ok(Reply::Refusal(bytes)) => {
                    add(&self.metrics.refusals);
                    refusals += 1;
                    bytes
                }
                Ok(Reply::Hang(_)) => {
                    add(&self.metrics.bad_messages);
                    break;
                }
                Ok(Reply::Silence) => {
                    add(&self.metrics.host_failures);
                    break;
                }
                Err(_) => break,
            };
            if delivery.after_ms > 0 {
                sleep(Duration::from_millis(delivery.after_ms)).await;
            }
            let bytes = bytes.repeat(delivery.copies.into());
            let limit = Duration::from_millis(self.setup.limits.frame_ms);
            if !matches!(timeout(limit, line.write_all(&bytes)).await, Ok(Ok(()))) {
                add(&self.metrics.timeouts);
                break;
            }
            if !bytes.is_empty() {
                add(&self.metrics.answers);
            }
            if refusals >= self.setup.limits.refusals {
                break;
            }
        }
    }

    /// What follows the length of the next frame; none where the line is of no more use.
    async fn frame(&self, line: &mut TcpStream) -> Option<Vec<u8>> {
        let limits = &self.setup.limits;
        let dialect = &self.setup.dialect;
        let mut prefix = [0; 4];
        let prefix = prefix.get_mut(..dialect.prefix.bytes())?;
        let (first, rest) = prefix.split_at_mut(1);
        let slow = |_| add(&self.metrics.timeouts);
        let idle = Duration::from_millis(limits.idle_ms);
        timeout(idle, line.read_exact(first)).await.map_err(slow).ok()?.ok()?;
        let until = Instant::now() + Duration::from_millis(limits.frame_ms);
        timeout_at(until, line.read_exact(rest)).await.map_err(slow).ok()?.ok()?;
        let length = dialect.prefix.read(prefix).ok();
        let least = Frame::overhead(dialect) + 1;
        let Some(length) = length.filter(|length| (least..=limits.frame_bytes).contains(length)) else {
            add(&self.metrics.bad_messages);
            return None;
        };
        let mut message = vec![0; length];
        timeout_at(until, line.read_exact(&mut message)).await.map_err(slow).ok()?.ok()?;
        Some(message)
    }
}

/// Counts a line for as long as it is open, however it ends.
struct Open<'a>(&'a Metrics);

impl<'a> Open<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        add(&metrics.lines_open);
        Self(metrics)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        sub(&self.0.lines_open);
    }
}
