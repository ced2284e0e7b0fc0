//! What returned units are worth: their price less their share of the order's discount.
//!
//! A discount is split over the sum of the lines as it runs up: the first `c` minor units of it carry
//! `discount * c / subtotal`, rounded down, and a line carries what is added from its first to its last. What is left of a
//! line is split over its units in the same way. So every share is fair to less than one minor unit, and all shares
//! together are the order's total to the last one, in whatever order things come back.

use super::Line;

/// A line's total less its share of the discount, in minor units, for each line.
pub fn of_lines(lines: &[Line], discount_minor: i64) -> Vec<i64> {
    let totals: Vec<i64> = lines.iter().map(|line| line.total().amount_minor).collect();
    let subtotal = totals.iter().map(|total| i128::from(*total)).sum();
    let mut before = 0;
    totals
        .into_iter()
        .map(|total| {
            let after = before + i128::from(total);
            let off = part(discount_minor, after, subtotal) - part(discount_minor, before, subtotal);
            before = after;
            total - off
        })
        .collect()
}

/// What `units` of a line's `quantity` are worth, after `before` of them came back.
pub fn of_units(line_minor: i64, quantity: u32, before: u32, units: u32) -> i64 {
    let (before, after) = (i128::from(before), i128::from(before) + i128::from(units));
    part(line_minor, after, quantity.into()) - part(line_minor, before, quantity.into())
}

/// `minor * numerator / denominator`, rounded down; the fraction is at most one.
fn part(minor: i64, numerator: i128, denominator: i128) -> i64 {
    if denominator == 0 {
        return 0;
    }
    i64::try_from(i128::from(minor) * numerator / denominator).unwrap_or(minor)
}

#[cfg(test)]
mod tests {
    use contracts::{Currency, Money, ProductId, VariantId};
    use proptest::prelude::*;

    use super::*;

    fn lines(priced: &[(i64, u32)]) -> Vec<Line> {
        let line = |(&(minor, quantity), line_no): (&(i64, u32), i32)| Line {
            line_no,
            variant_id: VariantId::generate(),
            product_id: ProductId::generate(),
            sku: format!("SKU-{line_no}"),
            title: "Mug".to_owned(),
            unit_price: Money::new(minor, Currency::USD),
            quantity,
            returned: 0,
        };
        priced.iter().zip(1..).map(line).collect()
    }

    #[test]
    fn a_discount_is_split_to_the_last_cent() {
        for (priced, discount, shares) in [
            (vec![(1000, 3)], 0, vec![3000]),
            (vec![(1000, 1), (2000, 1)], 300, vec![900, 1800]),
            (vec![(333, 1), (333, 1), (334, 1)], 100, vec![300, 300, 300]),
            (vec![(1, 1), (1, 1), (1, 1)], 2, vec![1, 0, 0]),
            (vec![(0, 2), (500, 1)], 499, vec![0, 1]),
        ] {
            assert_eq!(
                of_lines(&lines(&priced), discount),
                shares,
                "{priced:?} less {discount}"
            );
        }
    }

    #[test]
    fn a_line_is_split_to_the_last_cent() {
        // 10.00 for three: 3.33, 3.33 and 3.34, one by one or together.
        assert_eq!(
            [0, 1, 2].map(|before| of_units(1000, 3, before, 1)),
            [333, 333, 334]
        );
        assert_eq!(of_units(1000, 3, 0, 2), 666);
        assert_eq!(of_units(1000, 3, 1, 2), 667);
        assert_eq!(of_units(1000, 3, 0, 3), 1000);
    }

    proptest! {
        #[test]
        fn all_shares_are_the_total(
            priced in proptest::collection::vec((0i64..10_000_000, 1u32..100), 1..20),
            of_all in 0.0f64..1.0,
            cuts in proptest::collection::vec(0u32..100, 0..5),
        ) {
            let lines = lines(&priced);
            let subtotal: i64 = lines.iter().map(|line| line.total().amount_minor).sum();
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "any part will do")]
            let discount = ((subtotal as f64 * of_all) as i64).clamp(0, (subtotal - 1).max(0));
            let shares = of_lines(&lines, discount);
            prop_assert_eq!(shares.iter().sum::<i64>(), subtotal - discount);
            for (line, share) in lines.iter().zip(shares) {
                let total = line.total().amount_minor;
                prop_assert!((0..=total).contains(&share));
                let fair = i128::from(total) * i128::from(subtotal - discount) / i128::from(subtotal.max(1));
                prop_assert!((i128::from(share) - fair).abs() <= 1, "{} of {}", share, fair);
                let mut cuts: Vec<u32> = cuts.iter().map(|cut| cut % (line.quantity + 1)).collect();
                cuts.extend([0, line.quantity]);
                cuts.sort_unstable();
                let units = |pair: &[u32]| of_units(share, line.quantity, pair[0], pair[1] - pair[0]);
                prop_assert_eq!(cuts.windows(2).map(units).sum::<i64>(), share);
            }
        }
    }
}
