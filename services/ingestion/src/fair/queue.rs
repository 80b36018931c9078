//! Whose turn it is: deficit round robin (Shreedhar and Varghese, 1995).
//!
//! Whatever waits, waits in a lane. Each lane has its turn; in a turn it may have as much done as the quantum says, and
//! what it did not use, because the next piece was larger, it has in its next turn. So two lanes that always have
//! something waiting get the same, but for one quantum and one piece, however large and however many their pieces are.
//! Pure: no clock, no tasks, no locks.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Lanes with what waits in them.
#[derive(Debug)]
pub(super) struct FairQueue<K, T> {
    lanes: HashMap<K, Lane<T>>,
    /// Lanes in which something waits, in the order of their turns.
    turns: VecDeque<K>,
    /// What a turn is worth.
    quantum: u64,
    /// Whether the first lane has been given its turn's worth.
    begun: bool,
    waiting: usize,
}

#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<Piece<T>>,
    /// What may be done yet in this turn.
    left: u64,
}

#[derive(Debug)]
struct Piece<T> {
    number: u64,
    cost: u64,
    item: T,
}

impl<K: Clone + Eq + Hash, T> FairQueue<K, T> {
    /// Of nothing; a turn is worth `quantum`.
    pub(super) fn new(quantum: u64) -> FairQueue<K, T> {
        assert!(quantum > 0, "nothing would ever be done");
        FairQueue { lanes: HashMap::new(), turns: VecDeque::new(), quantum, begun: false, waiting: 0 }
    }

    /// How many pieces wait.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// How many pieces wait in a lane.
    pub(super) fn len_of(&self, lane: &K) -> usize {
        self.lanes.get(lane).map_or(0, |lane| lane.waiting.len())
    }

    /// What waits longest in a lane.
    pub(super) fn first_of(&self, lane: &K) -> Option<&T> {
        self.lanes.get(lane)?.waiting.front().map(|piece| &piece.item)
    }

    /// What waits longest in each lane.
    pub(super) fn firsts(&self) -> impl Iterator<Item = &T> {
        self.lanes.values().filter_map(|lane| lane.waiting.front()).map(|piece| &piece.item)
    }

    /// Puts a piece at the end of its lane; `number` names it there.
    pub(super) fn push(&mut self, lane: K, number: u64, cost: u64, item: T) {
        let of = self.lanes.entry(lane.clone()).or_insert_with(|| {
            self.turns.push_back(lane);
            Lane { waiting: VecDeque::new(), left: 0 }
        });
        of.waiting.push_back(Piece { number, cost, item });
        self.waiting += 1;
    }

    /// Takes a piece out that is not waited for any more.
    pub(super) fn remove(&mut self, lane: &K, number: u64) -> Option<T> {
        let of = self.lanes.get_mut(lane)?;
        let at = of.waiting.iter().position(|piece| piece.number == number)?;
        let piece = of.waiting.remove(at)?;
        self.waiting -= 1;
        if of.waiting.is_empty() {
            self.leave(lane);
        }
        Some(piece.item)
    }

    /// The next piece of the lanes that may go on: its lane and cost. Asked again, it is the same one, unless other lanes
    /// may go on then.
    pub(super) fn next(&mut self, may: impl Fn(&K, u64) -> bool) -> Option<(K, u64)> {
        loop {
            let mut rounds: Option<u64> = None;
            for _ in 0..self.turns.len() {
                let first = self.turns.front()?;
                let lane = self.lanes.get_mut(first)?;
                let cost = lane.waiting.front()?.cost;
                if may(first, cost) {
                    if !self.begun {
                        lane.left = lane.left.saturating_add(self.quantum);
                        self.begun = true;
                    }
                    if cost <= lane.left {
                        return Some((first.clone(), cost));
                    }
                    let missing = (cost - lane.left).div_ceil(self.quantum);
                    rounds = Some(rounds.map_or(missing, |rounds| rounds.min(missing)));
                }
                self.end_turn();
            }
            // Rounds in which nothing could be done are gone through in one step; the last of them by turns.
            let skipped = rounds? - 1;
            for (name, lane) in &mut self.lanes {
                let cost = lane.waiting.front().map_or(0, |piece| piece.cost);
                if may(name, cost) {
                    lane.left = lane.left.saturating_add(skipped.saturating_mul(self.quantum));
                }
            }
        }
    }

    /// Takes out the piece that [`next`](Self::next) named.
    pub(super) fn take(&mut self) -> Option<(K, u64, T)> {
        let name = self.turns.front()?.clone();
        let lane = self.lanes.get_mut(&name)?;
        let piece = lane.waiting.pop_front()?;
        lane.left = lane.left.saturating_sub(piece.cost);
        self.waiting -= 1;
        if lane.waiting.is_empty() {
            // What it did not use, it does not keep: it could have, and had nothing to do.
            self.leave(&name);
        }
        Some((name, piece.cost, piece.item))
    }

    fn end_turn(&mut self) {
        self.turns.rotate_left(1);
        self.begun = false;
    }

    fn leave(&mut self, lane: &K) {
        self.lanes.remove(lane);
        if self.turns.front() == Some(lane) {
            self.begun = false;
        }
        self.turns.retain(|turn| turn != lane);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    type Queue = FairQueue<usize, u64>;

    fn serve(queue: &mut Queue, may: impl Fn(&usize, u64) -> bool) -> Option<(usize, u64, u64)> {
        let (lane, cost) = queue.next(may)?;
        let taken = queue.take().expect("what was named");
        assert_eq!((taken.0, taken.1), (lane, cost));
        Some(taken)
    }

    fn all(_: &usize, _: u64) -> bool {
        true
    }

    #[test]
    fn a_lane_of_large_pieces_and_one_of_small_get_the_same() {
        let mut queue = Queue::new(10);
        for n in 0..3 {
            queue.push(0, n, 100, n);
        }
        for n in 0..30 {
            queue.push(1, n, 10, n);
        }
        let order: Vec<usize> =
            (0..22).filter_map(|_| serve(&mut queue, all)).map(|(lane, ..)| lane).collect();
        let large: Vec<usize> =
            order.iter().enumerate().filter(|(_, l)| **l == 0).map(|(at, _)| at).collect();
        assert_eq!(large, [9, 20], "{order:?}");
    }

    #[test]
    fn what_is_not_waited_for_any_more_takes_no_turn() {
        let mut queue = Queue::new(10);
        queue.push(0, 1, 10, 1);
        queue.push(0, 2, 10, 2);
        queue.push(1, 3, 10, 3);
        assert_eq!(queue.remove(&0, 1), Some(1));
        assert_eq!(queue.remove(&0, 1), None);
        assert_eq!(queue.remove(&1, 3), Some(3));
        assert_eq!((queue.len(), queue.len_of(&0), queue.len_of(&1)), (1, 1, 0));
        assert_eq!(serve(&mut queue, all), Some((0, 10, 2)));
        assert_eq!(serve(&mut queue, all), None);
    }

    #[test]
    fn a_lane_that_may_not_go_on_holds_nobody_up_and_saves_nothing() {
        let mut queue = Queue::new(10);
        for n in 0..10 {
            queue.push(0, n, 10, n);
            queue.push(1, n, 10, n);
        }
        let only_one = |lane: &usize, _: u64| *lane == 1;
        for n in 0..5 {
            assert_eq!(serve(&mut queue, only_one), Some((1, 10, n)));
        }
        let order: Vec<usize> =
            (0..4).filter_map(|_| serve(&mut queue, all)).map(|(lane, ..)| lane).collect();
        assert_eq!(order.iter().filter(|lane| **lane == 0).count(), 2, "{order:?}");
    }

    /// Costs of what each lane has done, of lanes in which there always was something waiting.
    fn shares(lanes: &[Vec<u64>], quantum: u64, steps: usize) -> Vec<u64> {
        let mut queue = Queue::new(quantum);
        let mut number = 0;
        let mut next = vec![0; lanes.len()];
        let mut fill = |queue: &mut Queue, lane: usize| {
            let cost = lanes[lane][next[lane] % lanes[lane].len()];
            next[lane] += 1;
            number += 1;
            queue.push(lane, number, cost, number);
        };
        for lane in 0..lanes.len() {
            fill(&mut queue, lane);
            fill(&mut queue, lane);
        }
        let mut done = vec![0; lanes.len()];
        for _ in 0..steps {
            let (lane, cost, _) = serve(&mut queue, all).expect("something waits");
            done[lane] += cost;
            fill(&mut queue, lane);
        }
        done
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lanes_that_always_wait_get_the_same_within_a_quantum_and_a_piece(
            lanes in vec(vec(1..400u64, 1..5), 1..8), quantum in 1..300u64, steps in 1..400usize,
        ) {
            let done = shares(&lanes, quantum, steps);
            let largest = lanes.iter().flatten().max().expect("a piece");
            let (most, least) = (done.iter().max().expect("a lane"), done.iter().min().expect("a lane"));
            prop_assert!(most - least <= quantum + largest, "{done:?}");
        }

        #[test]
        fn everything_is_done_once_in_its_lanes_order_and_never_is_there_a_pause(
            pieces in vec((0..6usize, 1..500u64), 1..120), quantum in 1..200u64, gone in vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut queue = Queue::new(quantum);
            let mut waiting: HashMap<usize, Vec<u64>> = HashMap::new();
            for (number, (lane, cost)) in (0..).zip(&pieces) {
                queue.push(*lane, number, *cost, number);
                waiting.entry(*lane).or_default().push(number);
            }
            for at in gone {
                let number = at.index(pieces.len());
                let (lane, number) = (pieces[number].0, number as u64);
                let there = waiting.get_mut(&lane).expect("a lane");
                let was = there.contains(&number);
                there.retain(|n| *n != number);
                prop_assert_eq!(queue.remove(&lane, number).is_some(), was);
            }
            let count: usize = waiting.values().map(Vec::len).sum();
            prop_assert_eq!(queue.len(), count);
            for _ in 0..count {
                let (lane, cost, number) = serve(&mut queue, all).expect("something waits, so something is next");
                prop_assert_eq!(cost, pieces[number as usize].1);
                prop_assert_eq!(waiting.get_mut(&lane).expect("a lane").remove(0), number);
            }
            prop_assert!(serve(&mut queue, all).is_none());
        }

        #[test]
        fn nobody_waits_longer_than_the_others_turns(
            others in vec(vec(1..300u64, 1..4), 1..6), quantum in 1..200u64, cost in 1..2000u64,
        ) {
            let mut queue = Queue::new(quantum);
            let mut number = 0;
            let mut refill = |queue: &mut Queue, lane: usize, at: usize| {
                number += 1;
                queue.push(lane, number, others[lane][at % others[lane].len()], 0);
            };
            for lane in 0..others.len() {
                refill(&mut queue, lane, 0);
                refill(&mut queue, lane, 1);
            }
            queue.push(99, u64::MAX, cost, 1);
            let largest = *others.iter().flatten().max().expect("a piece");
            let turns = cost.div_ceil(quantum) + 1;
            let bound = turns * others.len() as u64 * (quantum + largest);
            let mut before = 0;
            loop {
                let (lane, done, _) = serve(&mut queue, all).expect("something waits");
                if lane == 99 {
                    break;
                }
                before += done;
                prop_assert!(before <= bound, "{before} of {bound}");
                refill(&mut queue, lane, before as usize);
            }
        }
    }
}
