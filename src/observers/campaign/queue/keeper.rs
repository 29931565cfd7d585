//! Gives signs of life, and watches those of others.

use super::entry::Ticket;
use super::table::Queue;
use super::watch::Watch;
use crate::base::context::Context;
use crate::base::store::StoreError;

/// What one who keeps watch has seen so far.
#[derive(Default)]
pub(in crate::observers::campaign) struct Keeper {
    jobs: Watch<Ticket>,
    campaigns: Watch<String>,
}

/// What came of one look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::observers::campaign) struct Kept {
    /// Jobs of one's own that are one's own no more.
    pub(in crate::observers::campaign) lost: Vec<Ticket>,
    /// Jobs that were taken from agents that gave no sign.
    pub(in crate::observers::campaign) expired: Vec<Ticket>,
}

impl Keeper {
    /// Gives signs for jobs that are played here; takes jobs from agents that give none, and
    /// closes campaigns that nobody waits for.
    pub(in crate::observers::campaign) fn look(
        &mut self,
        queue: &mut Queue,
        own: &[Ticket],
        context: &mut Context,
    ) -> Result<Kept, StoreError> {
        let lost = queue.beat(own)?;
        let signs = queue.signs()?;
        let beats = |ticket: &Ticket| signs.iter().find(|row| row.0 == *ticket).map(|row| row.1.count.1);
        let mut expired = Vec::new();
        for ticket in self.jobs.look(signs.iter().cloned(), context.now().micros()) {
            if let Some(beats) = beats(&ticket)
                && queue.expire(&ticket, beats)?
            {
                expired.push(ticket);
            }
        }
        let campaigns = queue.campaign_signs()?;
        for campaign in self.campaigns.look(campaigns, context.now().micros()) {
            queue.close(&campaign, "whoever submitted it gave no sign any more")?;
        }
        Ok(Kept { lost, expired })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Discard;
    use crate::base::store::Sqlite;
    use crate::observers::campaign::queue::{JobState, MOST_CLAIMS, NewCampaign, NewJob, Receipt};
    use std::collections::BTreeSet;
    use std::time::Duration;

    const LEASE_MS: i64 = 4_000;
    const CORES: &str = "cores";

    /// A store with one campaign of so many jobs, and the clock of all who look at it.
    fn with_jobs(count: usize) -> (Queue, Context) {
        let mut context = Context::simulated(1, Discard);
        let mut queue = Queue::open(Box::new(Sqlite::in_memory().unwrap())).unwrap();
        let job = |number| NewJob { seat: CORES.into(), payload: format!("job {number}") };
        let new = NewCampaign {
            id: "c".into(),
            submitter: "someone".into(),
            patience_ms: 60_000,
            version: "1".into(),
            payload: "all".into(),
            jobs: (0..count).map(job).collect(),
        };
        queue.submit(&new, &mut context).unwrap();
        queue.submit(&new, &mut context).unwrap();
        (queue, context)
    }

    fn claim(queue: &mut Queue, holder: &str) -> Option<Ticket> {
        let claimed = queue.claim(&[CORES.into()], "1", holder, LEASE_MS).unwrap();
        claimed.map(|claimed| claimed.ticket)
    }

    /// Looks every second until something expires.
    fn until_expired(queue: &mut Queue, keeper: &mut Keeper, context: &mut Context) -> Vec<Ticket> {
        for _ in 0..20 {
            let kept = keeper.look(queue, &[], context).unwrap();
            if !kept.expired.is_empty() {
                return kept.expired;
            }
            context.elapse(Duration::from_secs(1));
        }
        Vec::new()
    }

    #[test]
    fn each_job_is_given_to_one() {
        let (mut queue, _) = with_jobs(3);
        let mut other = queue.handle().unwrap();
        let (a, b) = (claim(&mut queue, "a").unwrap(), claim(&mut other, "b").unwrap());
        assert_eq!((a.number, b.number, a.lease), (0, 1, 1));
        assert_eq!(claim(&mut queue, "a").unwrap(), a, "who was not told that he has it, has it");
        assert_eq!(queue.claim(&["elsewhere".into()], "1", "c", LEASE_MS).unwrap(), None);
        assert_eq!(queue.claim(&[CORES.into()], "2", "c", LEASE_MS).unwrap(), None, "of another version");
        assert_eq!(queue.finish(&a, &Ok("one".into())).unwrap(), Receipt::Kept);
        assert_eq!(queue.finish(&a, &Ok("two".into())).unwrap(), Receipt::Kept, "it may be said again");
        let ended = queue.ended("c", &BTreeSet::new()).unwrap();
        assert_eq!(ended.len(), 1);
        assert_eq!((ended[0].state, ended[0].result.as_deref()), (JobState::Done, Some("one")));
        assert_eq!(queue.ended("c", &[0].into()).unwrap(), []);
        let counts = queue.counts("c").unwrap();
        assert_eq!((counts.ready, counts.held, counts.ended), (1, 1, 1));
    }

    #[test]
    fn a_silent_agents_job_is_taken_up_once_and_its_late_result_refused() {
        let (mut queue, mut context) = with_jobs(1);
        let silent = claim(&mut queue, "silent").unwrap();
        let mut keeper = Keeper::default();
        let expired = until_expired(&mut queue, &mut keeper, &mut context);
        assert_eq!(expired, std::slice::from_ref(&silent));
        let next = claim(&mut queue, "next").unwrap();
        assert_eq!((next.number, next.lease), (0, 2));
        assert_eq!(queue.finish(&silent, &Ok("late".into())).unwrap(), Receipt::Refused);
        let own = std::slice::from_ref(&silent);
        assert_eq!(queue.beat(own).unwrap(), own);
        assert_eq!(queue.finish(&next, &Ok("right".into())).unwrap(), Receipt::Kept);
        assert_eq!(queue.finish(&silent, &Err("later".into())).unwrap(), Receipt::Refused);
        let ended = queue.ended("c", &BTreeSet::new()).unwrap();
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].result.as_deref(), Some("right"));
        assert_eq!(ended[0].reason.as_deref(), Some("silent had it, claim 1, and gave no sign for 4 s"));
    }

    #[test]
    fn who_gives_signs_keeps_his_job() {
        let (mut queue, mut context) = with_jobs(1);
        let ticket = claim(&mut queue, "slow").unwrap();
        let (mut own, mut other) = (Keeper::default(), Keeper::default());
        for _ in 0..60 {
            own.look(&mut queue, std::slice::from_ref(&ticket), &mut context).unwrap();
            queue.beat_campaign("c").unwrap();
            assert_eq!(other.look(&mut queue, &[], &mut context).unwrap(), Kept::default());
            context.elapse(Duration::from_secs(1));
        }
        assert_eq!(queue.finish(&ticket, &Ok("done".into())).unwrap(), Receipt::Kept);
    }

    #[test]
    fn a_job_that_ends_every_agent_fails_with_its_reason() {
        let (mut queue, mut context) = with_jobs(1);
        let mut keeper = Keeper::default();
        for lease in 1..=MOST_CLAIMS {
            assert_eq!(claim(&mut queue, &format!("agent {lease}")).unwrap().lease, lease);
            queue.beat_campaign("c").unwrap();
            assert_eq!(until_expired(&mut queue, &mut keeper, &mut context).len(), 1);
        }
        assert_eq!(claim(&mut queue, "another"), None);
        let ended = queue.ended("c", &BTreeSet::new()).unwrap();
        assert_eq!((ended[0].state, ended[0].lease), (JobState::Failed, MOST_CLAIMS));
        assert!(ended[0].reason.as_deref().unwrap().starts_with("agent 3 had it, claim 3"));
    }

    #[test]
    fn what_nobody_waits_for_is_cancelled() {
        let (mut queue, mut context) = with_jobs(2);
        let ticket = claim(&mut queue, "agent").unwrap();
        let mut keeper = Keeper::default();
        for _ in 0..62 {
            keeper.look(&mut queue, std::slice::from_ref(&ticket), &mut context).unwrap();
            context.elapse(Duration::from_secs(1));
        }
        let ended = queue.ended("c", &BTreeSet::new()).unwrap();
        assert_eq!(ended.len(), 2);
        for job in ended {
            assert_eq!(job.state, JobState::Cancelled);
            assert_eq!(job.reason.as_deref(), Some("whoever submitted it gave no sign any more"));
        }
        assert_eq!(queue.finish(&ticket, &Ok("late".into())).unwrap(), Receipt::Refused);
    }
}
