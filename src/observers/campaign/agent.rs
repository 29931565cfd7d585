//! An agent: plays the jobs of a shared store on the readers that it owns and on its cores,
//! one job at a time on each of them, and gives signs of life for what it plays.

use super::error::CampaignError;
use super::order::{Loaded, Order, SeedOrder, SeedRange, VERSION, fits, seat_of};
use super::plan::Job;
use super::queue::{Claimed, JobState, Keeper, Queue, Receipt, Ticket};
use super::suite::{Cards, Plant, SealOpener, SuiteSettings, play_suite_with};
use crate::air::link::{Interface, ReaderOptions};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::base::store::StoreError;
use crate::observers::report::suite::{CaseReport, CaseVerdict};
use crate::observers::script::Unattended;
use crate::observers::script::lua::Interpreter;
use crate::roles::terminal::TerminalConfig;
use crate::words::iso7816::Effect;
use crate::world::seeds::seeds;
use crate::world::{Permit, ReaderAddress, Seat};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

/// How long a post without work waits before it looks again.
const IDLE: Duration = Duration::from_millis(200);
/// How long a post waits before it asks a store that is away again.
const AWAY: Duration = Duration::from_secs(1);
/// How often in a row the store may be away before the agent ends: some minutes, since each
/// time waits for it too.
const AWAY_LIMIT: usize = 60;
/// How long a job may be played before the agent gives no more signs for it.
const LONGEST_MICROS: i64 = 30 * 60 * 1_000_000;
/// How many campaigns are kept as they were read.
const LOADED: usize = 8;

/// An agent.
pub struct AgentSettings<'a> {
    /// Its name, which no other has.
    pub name: String,
    /// How many jobs for cores at once.
    pub threads: usize,
    /// The readers that it owns, each by its address.
    pub readers: Vec<(String, ReaderAddress)>,
    /// The worst that may be done to a real card here, whatever a campaign allows.
    pub allowed: Effect,
    /// Opens the key of a card's file.
    pub seal: &'a SealOpener<'a>,
    /// What interprets scripts in Lua.
    pub lua: Option<Interpreter>,
    /// How long it may give no sign before its jobs are another's.
    pub lease: Duration,
    /// Whether it ends when nothing is left that it could play.
    pub drains: bool,
}

/// What an agent tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentEvent {
    /// A job is played here from now on.
    Took {
        /// Which.
        ticket: Ticket,
        /// Where: the reader, or `core 1`.
        post: String,
    },
    /// A job was played, and the store has its result.
    Ended {
        /// Which.
        ticket: Ticket,
        /// Why it could not be played.
        trouble: Option<String>,
    },
    /// A job is another's by now: its result counts for nothing.
    Refused(Ticket),
    /// A job was taken from an agent that gave no sign.
    Expired(Ticket),
    /// The card of a reader cannot be reached: nothing is claimed for it until it can.
    ReaderGone {
        /// Its address.
        reader: String,
        /// Why.
        cause: String,
    },
    /// The store cannot be reached.
    Away(String),
}

/// What an agent has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AgentTotals {
    /// Jobs whose results are kept.
    pub ended: u64,
    /// Jobs whose results were refused.
    pub refused: u64,
}

/// Where jobs are played.
enum Post {
    Core,
    Reader(String, ReaderAddress),
}

/// What the threads of an agent share.
struct Shared<'a> {
    settings: &'a AgentSettings<'a>,
    /// What is being played, and since when.
    held: Mutex<Vec<(Ticket, i64)>>,
    loaded: Mutex<Vec<(String, Arc<Work>)>>,
    stops: AtomicBool,
    working: AtomicUsize,
}

/// A campaign that was read.
enum Work {
    Suite(Box<Loaded>),
    Seeds(SeedOrder),
}

/// Plays jobs until there is nothing left, where the settings say so, else for ever.
pub fn work(
    queue: &Queue,
    settings: &AgentSettings<'_>,
    tell: &mut dyn FnMut(&AgentEvent),
) -> Result<AgentTotals, CampaignError> {
    let cores = (1..=settings.threads).map(|number| (format!("core {number}"), Post::Core));
    let readers = settings.readers.iter();
    let readers = readers.map(|(text, address)| (text.clone(), Post::Reader(text.clone(), address.clone())));
    let posts: Vec<(String, Post)> = cores.chain(readers).collect();
    let shared = Shared {
        settings,
        held: Mutex::default(),
        loaded: Mutex::default(),
        stops: AtomicBool::new(false),
        working: AtomicUsize::new(posts.len()),
    };
    let mut handles = Vec::new();
    for _ in &posts {
        handles.push(queue.handle()?);
    }
    let mut keeper = queue.handle()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let shared = &shared;
        for ((name, post), mut queue) in posts.into_iter().zip(handles) {
            let sender = sender.clone();
            scope.spawn(move || {
                let served = shared.serve(&name, &post, &mut queue, &sender);
                shared.working.fetch_sub(1, Ordering::SeqCst);
                if let Err(cause) = served {
                    shared.stops.store(true, Ordering::SeqCst);
                    // Who hears it has ended only where the agent has.
                    let _ = sender.send(Err(cause));
                }
            });
        }
        scope.spawn(move || shared.keep(&mut keeper, &sender));
        let (mut totals, mut failure) = (AgentTotals::default(), None);
        for event in receiver {
            match event {
                Ok(event) => {
                    totals.ended += u64::from(matches!(event, AgentEvent::Ended { .. }));
                    totals.refused += u64::from(matches!(event, AgentEvent::Refused(_)));
                    tell(&event);
                }
                Err(cause) => failure = Some(cause),
            }
        }
        failure.map_or(Ok(totals), |cause: StoreError| Err(cause.into()))
    })
}

type Teller = mpsc::Sender<Result<AgentEvent, StoreError>>;

impl Shared<'_> {
    /// One post: a job after the other.
    fn serve(&self, name: &str, post: &Post, queue: &mut Queue, tell: &Teller) -> Result<(), StoreError> {
        let holder = format!("{} ({name})", self.settings.name);
        let lease_ms = i64::try_from(self.settings.lease.as_millis()).unwrap_or(i64::MAX);
        while !self.stops.load(Ordering::SeqCst) {
            let claimed = self.patiently(tell, || {
                let seats = seats(post, queue)?;
                queue.claim(&seats, VERSION, &holder, lease_ms)
            })?;
            match claimed {
                Some(claimed) => {
                    let (ticket, post_name) = (claimed.ticket.clone(), name.to_owned());
                    say(tell, AgentEvent::Took { ticket, post: post_name });
                    let is_there = self.play_and_bring(&claimed, post, queue, tell)?;
                    if !is_there && !self.is_back(post, tell) {
                        break;
                    }
                }
                None if self.settings.drains && self.patiently(tell, || is_idle(post, queue))? => break,
                None => std::thread::sleep(IDLE),
            }
        }
        Ok(())
    }

    /// Plays a job and brings its result, however long the store is away; whether the card
    /// could be reached.
    fn play_and_bring(
        &self,
        claimed: &Claimed,
        post: &Post,
        queue: &mut Queue,
        tell: &Teller,
    ) -> Result<bool, StoreError> {
        let since = Context::system(Discard).now().micros();
        lock(&self.held).push((claimed.ticket.clone(), since));
        let brought = self.work(&claimed.ticket.campaign, queue, tell).and_then(|work| {
            let played = work.and_then(|work| self.play(&work, &claimed.payload, post));
            let is_there = !matches!(&played, Ok((_, false)));
            let result = played.map(|(text, _)| text);
            let receipt = self.patiently(tell, || queue.finish(&claimed.ticket, &result))?;
            Ok((receipt, result, is_there))
        });
        lock(&self.held).retain(|(ticket, _)| *ticket != claimed.ticket);
        let (receipt, result, is_there) = brought?;
        let ticket = claimed.ticket.clone();
        say(
            tell,
            match receipt {
                Receipt::Kept => AgentEvent::Ended { ticket, trouble: result.err() },
                Receipt::Refused => AgentEvent::Refused(ticket),
            },
        );
        Ok(is_there)
    }

    /// A job's result as text, and whether its card could be reached; or why it cannot be
    /// played.
    fn play(&self, work: &Work, payload: &str, post: &Post) -> Result<(String, bool), String> {
        match work {
            Work::Suite(loaded) => {
                let jobs: Vec<Job> = of_text(payload)?;
                let cases = self.play_cases(loaded, &jobs, post).map_err(|cause| cause.to_string())?;
                let is_there = !cases.iter().any(|case| case.verdict == CaseVerdict::Unreachable);
                Ok((serde_json::json!(cases).to_string(), is_there))
            }
            Work::Seeds(order) => {
                let range: SeedRange = of_text(payload)?;
                let report = seeds(&order.settings(range), &mut |_, _, _| {});
                report.map(|report| (report.to_text(), true)).map_err(|cause| cause.to_string())
            }
        }
    }

    fn play_cases(
        &self,
        loaded: &Loaded,
        jobs: &[Job],
        post: &Post,
    ) -> Result<Vec<CaseReport>, CampaignError> {
        let order = &loaded.order;
        let cards = match post {
            Post::Core => Cards::Fresh(loaded.card.clone()),
            Post::Reader(text, address) => Cards::Kept {
                addresses: vec![(text.clone(), address.clone())],
                allowed: order.allowed.min(self.settings.allowed),
                options: ReaderOptions::waiting(order.wait_ms.map(Duration::from_millis)),
                seal: self.settings.seal,
            },
        };
        let unattended = Unattended { lua: self.settings.lua.clone() };
        let settings = SuiteSettings {
            cards,
            interface: order.interface(),
            config: &loaded.config,
            threads: 1,
            retries: order.retries,
            fail_fast: order.fail_fast,
            seed: order.seed,
            target: None,
            host: None,
            // An agent has nobody beside it, and runs no programs for others.
            attendant: &unattended,
            unmask: false,
            detail: order.detail,
            plant: Plant::Nothing,
            terminal: None,
            keeps_events: false,
        };
        let is_known =
            |job: &&Job| loaded.scripts.get(job.script).is_some_and(|script| job.case < script.cases.len());
        if let Some(job) = jobs.iter().find(|job| !is_known(job)) {
            let cause = format!("expected the case {:?} among the scripts that were sent", job.name);
            return Err(CampaignError::Result { cause });
        }
        play_suite_with(&loaded.fresh, &loaded.scripts, jobs, &settings, &mut |_| ControlFlow::Continue(()))
            .map(|report| report.cases)
    }

    /// The campaign, read once; or why it cannot be read, which is no fault of the store.
    fn work(
        &self,
        campaign: &str,
        queue: &mut Queue,
        tell: &Teller,
    ) -> Result<Result<Arc<Work>, String>, StoreError> {
        let found = lock(&self.loaded).iter().find(|row| row.0 == campaign).map(|row| Arc::clone(&row.1));
        if let Some(found) = found {
            return Ok(Ok(found));
        }
        let payload = self.patiently(tell, || queue.payload(campaign))?;
        let work = payload.ok_or("the campaign is not in the store any more".into()).and_then(Work::read);
        Ok(work.map(|work| {
            let work = Arc::new(work);
            let mut loaded = lock(&self.loaded);
            if loaded.len() >= LOADED {
                loaded.remove(0);
            }
            loaded.push((campaign.to_owned(), Arc::clone(&work)));
            work
        }))
    }

    /// Waits until the card of a reader can be reached again, so that a reader that is gone
    /// does not end job after job. An agent that drains does not wait: what is left is for
    /// others.
    fn is_back(&self, post: &Post, tell: &Teller) -> bool {
        let Post::Reader(text, address) = post else { return true };
        let config = TerminalConfig::default();
        let permit = Permit { wants: Effect::Reads, allowed: Effect::Reads };
        let mut is_told = false;
        while !self.stops.load(Ordering::SeqCst) {
            let context = &mut Context::system(Discard);
            let seal = |context: &mut Context| (self.settings.seal)(address, context);
            let seat = Seat::before_kept(
                address,
                Interface::Contact,
                permit,
                ReaderOptions::default(),
                seal,
                &config,
                context,
            );
            let Err(cause) = seat else { return true };
            if !is_told {
                say(tell, AgentEvent::ReaderGone { reader: text.clone(), cause: cause.to_string() });
                is_told = true;
            }
            if self.settings.drains {
                break;
            }
            std::thread::sleep(AWAY);
        }
        false
    }

    /// Gives signs of life until every post has ended.
    fn keep(&self, queue: &mut Queue, tell: &Teller) {
        let mut keeper = Keeper::default();
        let mut context = Context::system(Discard);
        let pause = (self.settings.lease / 4).min(AWAY);
        while self.working.load(Ordering::SeqCst) > 0 {
            let since = context.now().micros() - LONGEST_MICROS;
            let held = lock(&self.held)
                .iter()
                .filter(|row| row.1 > since)
                .map(|row| row.0.clone())
                .collect::<Vec<_>>();
            match keeper.look(queue, &held, &mut context) {
                Ok(kept) => {
                    kept.expired.into_iter().for_each(|ticket| say(tell, AgentEvent::Expired(ticket)))
                }
                Err(cause) => say(tell, AgentEvent::Away(cause.to_string())),
            }
            std::thread::sleep(pause);
        }
    }

    /// Asks the store, and waits while it is away, some minutes in all.
    fn patiently<T>(
        &self,
        tell: &Teller,
        mut ask: impl FnMut() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut away = 0;
        loop {
            match ask() {
                Err(cause) if away < AWAY_LIMIT && !self.stops.load(Ordering::SeqCst) => {
                    away += 1;
                    say(tell, AgentEvent::Away(cause.to_string()));
                    std::thread::sleep(AWAY);
                }
                outcome => return outcome,
            }
        }
    }
}

impl Work {
    fn read(payload: String) -> Result<Self, String> {
        Ok(match of_text(&payload)? {
            Order::Suite(order) => Self::Suite(Box::new(order.load().map_err(|cause| cause.to_string())?)),
            Order::Seeds(order) => Self::Seeds(order),
        })
    }
}

/// The seats of jobs that a post can play.
fn seats(post: &Post, queue: &mut Queue) -> Result<Vec<String>, StoreError> {
    let Post::Reader(own, _) = post else { return Ok(vec![seat_of(&[])]) };
    let ready = queue.seats(VERSION, JobState::Ready)?;
    Ok(ready.into_iter().filter(|seat| fits(seat, own)).collect())
}

/// Whether nothing is left that a post could play, nor could come back to it.
fn is_idle(post: &Post, queue: &mut Queue) -> Result<bool, StoreError> {
    for state in [JobState::Ready, JobState::Held] {
        let seats = queue.seats(VERSION, state)?;
        let is_own = |seat: &String| match post {
            Post::Core => *seat == seat_of(&[]),
            Post::Reader(own, _) => fits(seat, own),
        };
        if seats.iter().any(is_own) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn of_text<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|cause| format!("what was submitted cannot be read: {cause}"))
}

fn say(tell: &Teller, event: AgentEvent) {
    // Who hears it ends after all who speak.
    let _ = tell.send(Ok(event));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
