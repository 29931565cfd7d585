//! A terminal under test that is elsewhere: a card in somebody's hand is served where that
//! terminal finds it, or somebody takes the messages of the host that it is connected to.

use super::books::open_target;
use super::error::WorldError;
use super::host::{Serving, Wrap, serve_host};
use super::seat::{FreshCard, FreshCards};
use super::{StoreAddress, TargetAddress};
use crate::air::host::{Attended, Inbox, Server};
use crate::air::link::{Interface, Target};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::roles::card::{CardHand, HeldCard, Simulated, serve};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often it is asked whether all is over, where no card is served.
const LOOK: Duration = Duration::from_millis(50);

/// Where a terminal elsewhere finds its host: an issuer's books with the terminals that they
/// serve, behind whoever plays the host.
#[derive(Debug, Clone)]
pub struct HostPlace {
    /// Where and how.
    pub serving: Serving,
    /// The books.
    pub store: StoreAddress,
    /// Their sealing key, where it is not beside them.
    pub seal: Option<PathBuf>,
}

/// What a terminal elsewhere finds.
pub struct ServedBench {
    card: Option<(Box<dyn Simulated>, Box<dyn Target>)>,
    interface: Interface,
    /// It serves until it is dropped.
    _host: Option<Server>,
}

impl ServedBench {
    /// Opens the places that there are, with a fresh card in the hand of `player`, and the
    /// host's messages by it. No issuer knows the card but by the test key set.
    pub fn set<P: CardHand + Inbox + Clone + Sync + 'static>(
        cards: &FreshCards,
        card: &FreshCard,
        interface: Interface,
        target: Option<&TargetAddress>,
        host: Option<&HostPlace>,
        player: &P,
    ) -> Result<Self, WorldError> {
        let card = match target {
            None => None,
            Some(target) => {
                let held: Box<dyn Simulated> = Box::new(HeldCard::new(cards.card(card)?, player.clone()));
                Some((held, open_target(target)?))
            }
        };
        let host = match host {
            None => None,
            Some(HostPlace { serving, store, seal }) => {
                let inbox = player.clone();
                let wrap: Wrap = Arc::new(move |host| Box::new(Attended::new(host, inbox.clone())));
                Some(serve_host(serving, store, seal.as_deref(), wrap, Discard)?)
            }
        };
        Ok(Self { card, interface, _host: host })
    }

    /// Lets the terminal work until `is_over`, which is asked again and again, or until the
    /// card's place is gone.
    pub fn serve(&mut self, is_over: &dyn Fn() -> bool, context: &mut Context) -> Result<(), WorldError> {
        if let Some((card, target)) = &mut self.card {
            serve(&mut **card, self.interface, &mut **target, context, &|| !is_over())?;
        }
        // Notices and reversals may come when the card is out already.
        while !is_over() {
            std::thread::sleep(LOOK);
        }
        Ok(())
    }
}
