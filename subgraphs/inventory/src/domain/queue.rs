//! Which reservations are worked on together. Pure.
//!
//! A reservation that wants a SKU on which nobody works goes at once. Others wait, and when the SKU is free again
//! they go together, in one transaction. Of two that share a SKU the one that came first is never the later one to
//! be worked on, so nobody waits for ever.

use std::collections::{HashSet, VecDeque};

use contracts::{OrderId, Sku};

/// One reservation that wants to be made.
#[derive(Debug)]
struct Waiter<T> {
    order: OrderId,
    skus: Vec<Sku>,
    work: T,
}

/// Reservations to be made in one transaction, in the order they came. Nobody else works on their SKUs meanwhile.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    pub(crate) skus: Vec<Sku>,
    pub(crate) work: Vec<T>,
}

/// Who works and who waits.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// Largest batch.
    most: usize,
    /// SKUs that are worked on.
    busy: HashSet<Sku>,
    /// SKUs of those who wait.
    wanted: HashSet<Sku>,
    waiting: VecDeque<Waiter<T>>,
}

/// A batch in the making.
struct Draft<T> {
    orders: HashSet<OrderId>,
    skus: HashSet<Sku>,
    /// With the place in the queue.
    members: Vec<(usize, T)>,
}

impl<T> Queue<T> {
    /// Nobody works, nobody waits.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            busy: HashSet::new(),
            wanted: HashSet::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Takes a reservation in; it is the batch to be worked on now, unless it has to wait.
    pub(crate) fn push(&mut self, order: OrderId, skus: Vec<Sku>, work: T) -> Option<Batch<T>> {
        if skus
            .iter()
            .any(|sku| self.busy.contains(sku) || self.wanted.contains(sku))
        {
            self.wanted.extend(skus.iter().cloned());
            self.waiting.push_back(Waiter { order, skus, work });
            return None;
        }
        self.busy.extend(skus.iter().cloned());
        Some(Batch {
            skus,
            work: vec![work],
        })
    }

    /// Nobody works on these SKUs any more; answers the batches that can be worked on now, all at the same time.
    pub(crate) fn done(&mut self, skus: &[Sku]) -> Vec<Batch<T>> {
        for sku in skus {
            self.busy.remove(sku);
        }
        self.wanted.clear();
        let mut drafts: Vec<Draft<T>> = Vec::new();
        for (place, waiter) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            let blocked = |sku| self.busy.contains(sku) || self.wanted.contains(sku);
            if waiter.skus.iter().any(blocked) || !self.fits(&drafts, &waiter) {
                self.wanted.extend(waiter.skus.iter().cloned());
                self.waiting.push_back(waiter);
            } else {
                join(&mut drafts, place, waiter);
            }
        }
        drafts
            .into_iter()
            .map(|mut draft| {
                draft.members.sort_by_key(|(place, _)| *place);
                self.busy.extend(draft.skus.iter().cloned());
                Batch {
                    skus: draft.skus.into_iter().collect(),
                    work: draft.members.into_iter().map(|(_, work)| work).collect(),
                }
            })
            .collect()
    }

    /// Whether a waiter finds room in the batches that it would bring together; an order is in a batch once.
    fn fits(&self, drafts: &[Draft<T>], waiter: &Waiter<T>) -> bool {
        let touched = || drafts.iter().filter(|draft| draft.shares(&waiter.skus));
        let members: usize = touched().map(|draft| draft.members.len()).sum();
        members < self.most && !touched().any(|draft| draft.orders.contains(&waiter.order))
    }
}

impl<T> Draft<T> {
    fn shares(&self, skus: &[Sku]) -> bool {
        skus.iter().any(|sku| self.skus.contains(sku))
    }
}

/// Adds a waiter to the batch that wants one of its SKUs; several such become one.
fn join<T>(drafts: &mut Vec<Draft<T>>, place: usize, waiter: Waiter<T>) {
    let mut whole = Draft {
        orders: HashSet::from([waiter.order]),
        members: vec![(place, waiter.work)],
        skus: waiter.skus.iter().cloned().collect(),
    };
    let mut index = 0;
    while index < drafts.len() {
        if drafts[index].shares(&waiter.skus) {
            let part = drafts.swap_remove(index);
            whole.orders.extend(part.orders);
            whole.skus.extend(part.skus);
            whole.members.extend(part.members);
        } else {
            index += 1;
        }
    }
    drafts.push(whole);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(number: u128) -> OrderId {
        OrderId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn skus(names: &[&str]) -> Vec<Sku> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn works(batches: &[Batch<u128>]) -> Vec<Vec<u128>> {
        let mut all: Vec<Vec<u128>> = batches.iter().map(|batch| batch.work.clone()).collect();
        all.sort();
        all
    }

    #[test]
    fn waiters_of_a_sku_go_together_in_the_order_they_came() {
        let mut queue = Queue::new(3);
        assert!(queue.push(order(1), skus(&["A"]), 1).is_some());
        assert!(
            queue.push(order(2), skus(&["B"]), 2).is_some(),
            "another SKU is free"
        );
        for number in 3..=6 {
            assert!(queue.push(order(number), skus(&["A"]), number).is_none());
        }
        assert_eq!(works(&queue.done(&skus(&["A"]))), [[3, 4, 5]], "three at most");
        assert_eq!(works(&queue.done(&skus(&["A"]))), [[6]]);
        assert_eq!(works(&queue.done(&skus(&["A"]))), Vec::<Vec<u128>>::new());
        assert!(queue.push(order(7), skus(&["A"]), 7).is_some());
    }

    #[test]
    fn whoever_wants_two_skus_brings_their_waiters_together_and_is_not_overtaken() {
        let mut queue = Queue::new(64);
        assert!(queue.push(order(1), skus(&["A"]), 1).is_some());
        assert!(queue.push(order(2), skus(&["B"]), 2).is_some());
        assert!(queue.push(order(3), skus(&["A", "B"]), 3).is_none());
        assert!(queue.push(order(4), skus(&["A"]), 4).is_none());
        assert!(queue.push(order(5), skus(&["C"]), 5).is_some());
        assert_eq!(
            works(&queue.done(&skus(&["A"]))),
            Vec::<Vec<u128>>::new(),
            "4 does not overtake 3"
        );
        assert_eq!(works(&queue.done(&skus(&["B"]))), [[3, 4]]);
    }

    #[test]
    fn an_order_is_in_a_batch_once() {
        let mut queue = Queue::new(64);
        assert!(queue.push(order(1), skus(&["A"]), 1).is_some());
        assert!(queue.push(order(2), skus(&["A"]), 2).is_none());
        assert!(queue.push(order(2), skus(&["A"]), 3).is_none());
        assert_eq!(works(&queue.done(&skus(&["A"]))), [[2]]);
        assert_eq!(works(&queue.done(&skus(&["A"]))), [[3]]);
    }

    proptest! {
        /// Whatever comes and in whatever order batches end: all are worked on once, no two batches share a SKU at
        /// the same time, and of two that share a SKU the first to come is never the later.
        #[test]
        fn nobody_is_lost_doubled_or_overtaken(
            wants in proptest::collection::vec(proptest::collection::btree_set(0_usize..4, 1..4), 1..60),
            ends in proptest::collection::vec(0_usize..8, 60),
            most in 1_usize..6,
        ) {
            let names = ["A", "B", "C", "D"];
            let wants: Vec<Vec<Sku>> = wants
                .into_iter()
                .map(|want| want.into_iter().map(|index| names[index].to_owned()).collect())
                .collect();
            let mut queue = Queue::new(most);
            let mut running: Vec<Batch<u128>> = Vec::new();
            let mut begun: Vec<u128> = Vec::new();
            let mut start = |running: &mut Vec<Batch<u128>>, batch: Batch<u128>| {
                assert!(batch.work.len() <= most);
                assert!(running.iter().all(|other| other.skus.iter().all(|sku| !batch.skus.contains(sku))));
                begun.extend(&batch.work);
                running.push(batch);
            };
            for (number, want) in wants.iter().enumerate() {
                if let Some(batch) = queue.push(order(number as u128), want.clone(), number as u128) {
                    start(&mut running, batch);
                }
                if ends[number] < running.len() {
                    let ended = running.swap_remove(ends[number]);
                    for batch in queue.done(&ended.skus) {
                        start(&mut running, batch);
                    }
                }
            }
            while let Some(ended) = running.pop() {
                for batch in queue.done(&ended.skus) {
                    start(&mut running, batch);
                }
            }
            let mut sorted = begun.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..wants.len() as u128).collect::<Vec<_>>());
            for (place, later) in begun.iter().enumerate() {
                for earlier in &begun[..place] {
                    let shares = wants[usize::try_from(*earlier).unwrap()]
                        .iter()
                        .any(|sku| wants[usize::try_from(*later).unwrap()].contains(sku));
                    prop_assert!(!shares || earlier < later, "{earlier} before {later}");
                }
            }
        }
    }
}
