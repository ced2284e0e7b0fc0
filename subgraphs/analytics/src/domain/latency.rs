//! How long orders took, in buckets 5 % wide: a few hundred counts stand for any number of orders, and what is read from
//! them is at most 2.5 % off.

use std::collections::BTreeMap;

use chrono::TimeDelta;

/// How much wider a bucket is than the one before.
const WIDTH: f64 = 1.05;

/// The bucket of a time; what took less than a millisecond is in the first.
pub fn bucket(took: TimeDelta) -> i16 {
    let ms = took.num_milliseconds().max(1);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the logarithm of any number of milliseconds is below 900"
    )]
    let bucket = ((ms as f64).ln() / WIDTH.ln()).floor() as i16;
    bucket
}

/// The time in seconds that a share of all orders did not exceed; none if there are none.
pub fn quantile(counts: &BTreeMap<i16, i64>, share: f64) -> Option<f64> {
    let all: i64 = counts.values().sum();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a rank among orders, which are far fewer than 2^52"
    )]
    let rank = ((all as f64 * share).ceil() as i64).max(1);
    let mut seen = 0;
    for (bucket, orders) in counts {
        seen += orders;
        if seen >= rank {
            return Some(middle_s(*bucket));
        }
    }
    None
}

/// The middle of a bucket, in seconds.
fn middle_s(bucket: i16) -> f64 {
    WIDTH.powf(f64::from(bucket) + 0.5) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_has_no_quantile_and_the_far_ends_have_a_bucket() {
        assert_eq!(quantile(&BTreeMap::new(), 0.5), None);
        assert_eq!(bucket(TimeDelta::milliseconds(-5)), 0);
        assert_eq!(bucket(TimeDelta::zero()), 0);
        assert!(bucket(TimeDelta::MAX) < 1000);
    }

    proptest! {
        #[test]
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "milliseconds of a day, and places in a list of 200"
        )]
        fn a_quantile_is_near_the_exact_one(
            mut took_ms in prop::collection::vec(1_i64..100_000_000, 1..200),
            share in prop::sample::select(vec![0.5, 0.9, 0.99]),
        ) {
            let mut counts = BTreeMap::new();
            for ms in &took_ms {
                *counts.entry(bucket(TimeDelta::milliseconds(*ms))).or_insert(0) += 1;
            }
            took_ms.sort_unstable();
            let rank = ((took_ms.len() as f64 * share).ceil() as usize).max(1);
            let exact = took_ms[rank - 1] as f64 / 1000.0;
            let read = quantile(&counts, share).unwrap();
            prop_assert!((read / exact - 1.0).abs() < 0.026, "{read} for {exact}");
        }
    }
}
