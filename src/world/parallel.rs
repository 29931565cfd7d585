//! Many worlds at once: each thread plays whole ones, and none sees another.

use super::error::WorldError;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Plays `0`, `1`, `2` ... on so many threads until `play` gives none; each thread
/// has a shelf `S` of things that it uses again. `take` gets
/// what came of each on the calling thread, as it is done, and may end it all: of one at a
/// time none is begun after that.
pub fn in_parallel<S: Default, T: Send>(
    jobs: usize,
    play: impl Fn(usize, &mut S) -> Option<T> + Sync,
    mut take: impl FnMut(T) -> Result<ControlFlow<()>, WorldError>,
) -> Result<(), WorldError> {
    if jobs <= 1 {
        let mut shelf = S::default();
        for played in (0..).map_while(|index| play(index, &mut shelf)) {
            if take(played)?.is_break() {
                break;
            }
        }
        return Ok(());
    }
    let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let sender = sender.clone();
            let (next, ended, play) = (&next, &ended, &play);
            scope.spawn(move || {
                let mut shelf = S::default();
                while !ended.load(Ordering::Relaxed) {
                    let Some(played) = play(next.fetch_add(1, Ordering::Relaxed), &mut shelf) else { break };
                    if sender.send(played).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut result = Ok(());
        for played in receiver {
            match take(played) {
                Ok(ControlFlow::Continue(())) => continue,
                Ok(ControlFlow::Break(())) => {}
                Err(error) => result = Err(error),
            }
            ended.store(true, Ordering::Relaxed);
            break;
        }
        result
    })
}

/// Plays every case on so many threads; what came of each, in the order of the cases. `take` gets
/// it and how many are done, as in [`in_parallel`].
pub(super) fn in_order<S: Default, C: Sync, T: Send>(
    jobs: usize,
    cases: &[C],
    play: impl Fn(&C, &mut S) -> Result<T, WorldError> + Sync,
    mut take: impl FnMut(&mut T, usize) -> ControlFlow<()>,
) -> Result<Vec<T>, WorldError> {
    let mut all = Vec::with_capacity(cases.len());
    let each = |index: usize, shelf: &mut S| Some((index, play(cases.get(index)?, shelf)));
    in_parallel(jobs, each, |(index, played)| {
        let mut played = played?;
        let flow = take(&mut played, all.len() + 1);
        all.push((index, played));
        Ok(flow)
    })?;
    all.sort_unstable_by_key(|row| row.0);
    Ok(all.into_iter().map(|row| row.1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_is_played_once_and_the_end_is_the_end() {
        let mut sum = 0;
        let play = |index, (): &mut ()| (index < 100).then_some(index);
        let add = |index| {
            sum += index;
            Ok(ControlFlow::Continue(()))
        };
        in_parallel(3, play, add).unwrap();
        assert_eq!(sum, 4950);
        let mut taken = 0;
        let end = |_: usize| {
            taken += 1;
            Ok(ControlFlow::Break(()))
        };
        in_parallel(3, |index, (): &mut ()| Some(index), end).unwrap();
        assert_eq!(taken, 1);
    }

    #[test]
    fn of_one_at_a_time_none_is_begun_after_the_end() {
        let played = AtomicUsize::new(0);
        let play = |index, (): &mut ()| {
            played.fetch_add(1, Ordering::Relaxed);
            Some(index)
        };
        let end = |index| Ok(if index == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        in_parallel(1, play, end).unwrap();
        assert_eq!(played.into_inner(), 3);
    }
}
