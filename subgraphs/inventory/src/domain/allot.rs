//! Who of several gets units, when there may be too few for all: first come, first served. Pure.

use std::collections::HashMap;

use contracts::Sku;
use contracts::inventory::ReservationLine;

/// Goes through requests in the order they arrived and takes what each wants from `available`: all its lines or
/// none. Answers, for each, the SKUs that were short; none means it is granted.
pub(crate) fn allot<'a>(
    requests: impl IntoIterator<Item = &'a [ReservationLine]>,
    available: &mut HashMap<Sku, i32>,
) -> Vec<Vec<Sku>> {
    let verdict = |lines: &'a [ReservationLine]| {
        let short: Vec<Sku> = lines
            .iter()
            .filter(|line| available.get(&line.sku).copied().unwrap_or(0) < units(line))
            .map(|line| line.sku.clone())
            .collect();
        if short.is_empty() {
            for line in lines {
                if let Some(left) = available.get_mut(&line.sku) {
                    *left -= units(line);
                }
            }
        }
        short
    };
    requests.into_iter().map(verdict).collect()
}

fn units(line: &ReservationLine) -> i32 {
    i32::try_from(line.quantity).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn basket(lines: &[(&str, u32)]) -> Vec<ReservationLine> {
        lines
            .iter()
            .map(|(sku, quantity)| ReservationLine {
                sku: (*sku).to_owned(),
                quantity: *quantity,
            })
            .collect()
    }

    #[test]
    fn who_is_refused_takes_nothing_and_the_next_one_may_still_get_some() {
        let requests = [
            basket(&[("A", 2), ("B", 1)]),
            basket(&[("A", 2)]),
            basket(&[("A", 1), ("B", 1)]),
            basket(&[("A", 1)]),
            basket(&[("NOBODY", 1)]),
        ];
        let mut available = HashMap::from([("A".to_owned(), 3), ("B".to_owned(), 1)]);
        let short = allot(requests.iter().map(Vec::as_slice), &mut available);
        assert_eq!(short[0], Vec::<Sku>::new());
        assert_eq!(short[1], ["A"]);
        assert_eq!(short[2], ["B"]);
        assert_eq!(short[3], Vec::<Sku>::new());
        assert_eq!(short[4], ["NOBODY"]);
        assert_eq!(available["A"], 0);
    }

    fn some_basket() -> impl Strategy<Value = Vec<ReservationLine>> {
        proptest::collection::btree_map(0_usize..5, 1_u32..4, 1..4).prop_map(|lines| {
            let named: Vec<(&str, u32)> = lines
                .into_iter()
                .map(|(sku, quantity)| (["A", "B", "C", "D", "NOBODY"][sku], quantity))
                .collect();
            basket(&named)
        })
    }

    proptest! {
        #[test]
        fn nothing_is_oversold_and_nobody_is_refused_what_was_there(
            requests in proptest::collection::vec(some_basket(), 0..40),
            levels in proptest::collection::vec(0_i32..20, 4),
        ) {
            let before: HashMap<Sku, i32> =
                ["A", "B", "C", "D"].iter().map(|sku| (*sku).to_owned()).zip(levels).collect();
            let mut after = before.clone();
            let short = allot(requests.iter().map(Vec::as_slice), &mut after);
            let mut left = before;
            for (request, short) in requests.iter().zip(&short) {
                let enough = request
                    .iter()
                    .all(|line| left.get(&line.sku).copied().unwrap_or(0) >= units(line));
                prop_assert_eq!(short.is_empty(), enough);
                if enough {
                    for line in request {
                        *left.get_mut(&line.sku).unwrap() -= units(line);
                    }
                }
            }
            prop_assert!(left.values().all(|units| *units >= 0));
            prop_assert_eq!(left, after);
        }
    }
}
