//! Any sequence of messages keeps the sum and the card's worth.

use super::kit::{ACCOUNT_MINOR, World};
use cardwright::air::host::{Answer, Host, Kind, Request};
use cardwright::words::tlv::TlvStore;
use proptest::prelude::*;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A load: whether the host's answer reaches the card, whether the notice reaches the host.
    Load { amount_minor: u64, script_lands: bool, notice_lands: bool },
    /// A load whose answer is lost; the terminal reverses it.
    LoadReversed { amount_minor: u64 },
    /// A reversal that overtakes its request.
    ReversalFirst { amount_minor: u64 },
    /// An offline payment, kept by the terminal.
    Pay { amount_minor: u64 },
    /// A kept payment is uploaded, perhaps twice.
    Upload { index: usize, twice: bool },
    /// An online purchase.
    Purchase { amount_minor: u64 },
    /// An earlier message comes again.
    Repeat { index: usize },
    /// A counter is spent and never told.
    SpendAtc,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u64..20_000, any::<bool>(), any::<bool>()).prop_map(|(amount_minor, script_lands, notice_lands)| {
            Step::Load { amount_minor, script_lands, notice_lands }
        }),
        1 => (1u64..20_000).prop_map(|amount_minor| Step::LoadReversed { amount_minor }),
        1 => (1u64..20_000).prop_map(|amount_minor| Step::ReversalFirst { amount_minor }),
        3 => (1u64..5_000).prop_map(|amount_minor| Step::Pay { amount_minor }),
        3 => (0usize..9, any::<bool>()).prop_map(|(index, twice)| Step::Upload { index, twice }),
        1 => (1u64..5_000).prop_map(|amount_minor| Step::Purchase { amount_minor }),
        2 => (0usize..100).prop_map(|index| Step::Repeat { index }),
        1 => Just(Step::SpendAtc),
    ]
}

struct Play {
    world: World,
    kept: Vec<(u64, TlvStore)>,
    sent: Vec<(Request, Answer)>,
}

impl Play {
    fn send(&mut self, request: Request) -> Answer {
        let World { issuer, context, .. } = &mut self.world;
        let answer = match request.kind {
            Kind::OfflineSale | Kind::ScriptResult => issuer.advise(&request, context),
            _ => issuer.authorise(&request, context),
        }
        .unwrap();
        self.sent.push((request, answer.clone()));
        answer
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Load { amount_minor, script_lands, notice_lands } => {
                let request = self.world.load_request(amount_minor);
                let answer = self.send(request.clone());
                if !answer.code.is_approved() {
                    return;
                }
                if script_lands {
                    self.world.card.take_script(&answer);
                }
                if notice_lands {
                    let result = if script_lands { 0x20 } else { 0x11 };
                    let notice = self.world.notice_request(&request, result);
                    self.send(notice);
                }
            }
            Step::LoadReversed { amount_minor } => {
                let request = self.world.load_request(amount_minor);
                self.send(request.clone());
                self.world.reverse(&request);
            }
            Step::ReversalFirst { amount_minor } => {
                let request = self.world.load_request(amount_minor);
                self.world.reverse(&request);
                assert!(!self.send(request).code.is_approved());
            }
            Step::Pay { amount_minor } => {
                if self.world.card.balance_minor >= amount_minor {
                    let chip = self.world.card.pay(amount_minor);
                    self.kept.push((amount_minor, chip));
                }
            }
            Step::Upload { index, twice } => {
                if self.kept.is_empty() {
                    return;
                }
                let (amount_minor, chip) = self.kept.remove(index % self.kept.len());
                for _ in 0..=usize::from(twice) {
                    let request = self.world.request(Kind::OfflineSale, amount_minor, chip.clone());
                    assert!(self.send(request).code.is_approved());
                }
            }
            Step::Purchase { amount_minor } => {
                let chip = self.world.card.sign(amount_minor, 0xA0, 0x00);
                let request = self.world.request(Kind::Purchase, amount_minor, chip);
                self.send(request);
            }
            Step::Repeat { index } => {
                if self.sent.is_empty() {
                    return;
                }
                let (request, first) = self.sent[index % self.sent.len()].clone();
                let before = self.world.books();
                assert_eq!(self.send(request), first);
                assert_eq!(self.world.books(), before);
            }
            Step::SpendAtc => self.world.card.atc += 1,
        }
    }

    /// The card is worth its shadow, less payments not uploaded, plus what of the
    /// open loads has landed.
    fn assert_card_is_explained(&mut self) {
        let books = self.world.books();
        let kept: u64 = self.kept.iter().map(|(amount, _)| amount).sum();
        let unexplained = (self.world.card.balance_minor + kept) as i64 - books.shadows_minor;
        assert!((0..=books.in_flight_minor).contains(&unexplained), "{unexplained} of {books:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_sequence_keeps_the_sum(steps in proptest::collection::vec(step(), 1..24)) {
        let mut play = Play { world: World::new(), kept: Vec::new(), sent: Vec::new() };
        for step in steps {
            play.run(step);
            play.world.assert_sound();
            play.assert_card_is_explained();
        }
        // At last every payment is uploaded and the card is seen once more: what is
        // still open is hidden by a counter that nobody told, and nothing else.
        while !play.kept.is_empty() {
            play.run(Step::Upload { index: 0, twice: false });
        }
        play.run(Step::Purchase { amount_minor: 1 });
        play.world.assert_sound();
        play.assert_card_is_explained();
        prop_assert_eq!(play.world.alarms(), 0);
        prop_assert!(play.world.books().accounts_minor <= ACCOUNT_MINOR);
    }
}
