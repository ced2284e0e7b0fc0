//! Who is new and who comes back.
//!
//! Somebody counts once on each day they paid an order: as new on the first of these days, as returning on the others.
//! Events come in any order, so the first day known today may not be the first one known tomorrow. That is why all days
//! of a buyer are kept, and what changes is the difference of what they come to before and after.

use std::collections::BTreeMap;

use chrono::NaiveDate;

/// Orders that one person paid, by day.
pub type Days = BTreeMap<NaiveDate, i64>;

/// Customers of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Customers {
    /// They never paid an order before.
    pub new: i64,
    /// They did.
    pub returning: i64,
}

impl Customers {
    /// Adds others so many times.
    pub const fn add(&mut self, other: Self, times: i64) {
        self.new += other.new * times;
        self.returning += other.returning * times;
    }
}

/// What the customers of each day change by when `change` is added to what somebody did before.
pub fn change(before: &Days, change: &Days) -> BTreeMap<NaiveDate, Customers> {
    let mut after = before.clone();
    for (day, orders) in change {
        *after.entry(*day).or_default() += orders;
    }
    let mut changes: BTreeMap<NaiveDate, Customers> = BTreeMap::new();
    for (days, times) in [(&after, 1), (before, -1)] {
        for (day, customers) in counted(days) {
            changes.entry(day).or_default().add(customers, times);
        }
    }
    changes.retain(|_, customers| *customers != Customers::default());
    changes
}

/// What somebody is counted as, day by day.
fn counted(days: &Days) -> impl Iterator<Item = (NaiveDate, Customers)> {
    let bought = days.iter().filter(|(_, orders)| **orders > 0);
    bought.enumerate().map(|(place, (day, _))| {
        let new = i64::from(place == 0);
        let customers = Customers {
            new,
            returning: 1 - new,
        };
        (*day, customers)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(number: i32) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(number).unwrap()
    }

    #[test]
    fn an_earlier_first_day_makes_the_later_one_a_return() {
        let known = Days::from([(day(9), 2)]);
        let earlier = Days::from([(day(4), 1)]);
        let (new, back) = (
            Customers { new: 1, returning: 0 },
            Customers {
                new: -1,
                returning: 1,
            },
        );
        assert_eq!(
            change(&known, &earlier),
            BTreeMap::from([(day(4), new), (day(9), back)])
        );
        assert_eq!(change(&known, &Days::from([(day(9), 1)])), BTreeMap::new());
    }

    proptest! {
        /// In whatever order days are learned, the counts are those of the days in their order.
        #[test]
        fn counts_don_t_depend_on_the_order(learned in prop::collection::vec(1_i32..12, 0..20)) {
            let (mut days, mut counts) = (Days::new(), BTreeMap::<NaiveDate, Customers>::new());
            for number in &learned {
                let news = Days::from([(day(*number), 1)]);
                for (day, customers) in change(&days, &news) {
                    counts.entry(day).or_default().add(customers, 1);
                }
                *days.entry(day(*number)).or_default() += 1;
            }
            let mut sorted = learned.clone();
            sorted.sort_unstable();
            sorted.dedup();
            let expected: BTreeMap<_, _> = sorted.iter().enumerate().map(|(place, number)| {
                let new = i64::from(place == 0);
                (day(*number), Customers { new, returning: 1 - new })
            }).collect();
            prop_assert_eq!(counts, expected);
        }
    }
}
