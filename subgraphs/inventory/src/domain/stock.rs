//! Units of a SKU: where they are, how a movement shifts them, and what a shopper is told.

use contracts::Sku;
use contracts::inventory::ReservationLine;

use super::Refusal;

/// Most lines one reservation may have.
pub(crate) const MAX_LINES: usize = 500;
/// Most units one line, adjustment or import may name.
pub(crate) const MAX_QUANTITY: i32 = 1_000_000;
/// Most units a shopper may put in one order, however many there are.
const MAX_ORDER_QUANTITY: i32 = 99;

/// Whether a text is a SKU: 1..64 characters of `A-Z a-z 0-9 . _ -`.
pub(crate) fn is_sku(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Where the units of a SKU are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Level {
    pub(crate) received: i32,
    pub(crate) available: i32,
    pub(crate) reserved: i32,
    pub(crate) sold: i32,
}

/// A kind of movement in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MovementKind {
    Receive,
    Adjust,
    Hold,
    Confirm,
    Release,
    Expire,
    Restock,
    Return,
}

impl MovementKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 8] = [
        Self::Receive,
        Self::Adjust,
        Self::Hold,
        Self::Confirm,
        Self::Release,
        Self::Expire,
        Self::Restock,
        Self::Return,
    ];

    /// The name the ledger keeps.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "RECEIVE",
            Self::Adjust => "ADJUST",
            Self::Hold => "HOLD",
            Self::Confirm => "CONFIRM",
            Self::Release => "RELEASE",
            Self::Expire => "EXPIRE",
            Self::Restock => "RESTOCK",
            Self::Return => "RETURN",
        }
    }

    /// The kind the ledger names.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What one unit of this movement does.
    pub(crate) const fn units(self) -> Units {
        match self {
            Self::Receive | Self::Adjust => Units(1, 0, 0),
            Self::Hold => Units(-1, 1, 0),
            Self::Confirm => Units(0, -1, 1),
            Self::Release | Self::Expire => Units(1, -1, 0),
            Self::Restock | Self::Return => Units(1, 0, -1),
        }
    }
}

/// What moving one unit does to (available, reserved, sold).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Units(pub(crate) i32, pub(crate) i32, pub(crate) i32);

impl Units {
    /// The net of several movements of the same unit.
    pub(crate) fn of(kinds: &[MovementKind]) -> Self {
        kinds
            .iter()
            .map(|kind| kind.units())
            .fold(Self(0, 0, 0), |sum, next| {
                Self(sum.0 + next.0, sum.1 + next.1, sum.2 + next.2)
            })
    }

    /// Whether nothing moves.
    pub(crate) fn is_none(self) -> bool {
        self == Self(0, 0, 0)
    }
}

/// A movement as the ledger keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Movement {
    pub(crate) id: i64,
    pub(crate) sku: Sku,
    pub(crate) kind: MovementKind,
    pub(crate) quantity: i32,
    pub(crate) order_id: Option<contracts::OrderId>,
    pub(crate) reason: Option<String>,
    pub(crate) at: chrono::DateTime<chrono::Utc>,
}

/// What a shopper is told of a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AvailabilityStatus {
    Plenty,
    Few,
    Nothing,
}

/// What a shopper is told when `available` units are left and few means `low_stock` or less.
pub(crate) fn availability(available: i32, low_stock: i32) -> (AvailabilityStatus, i32) {
    let status = match available {
        ..=0 => AvailabilityStatus::Nothing,
        few if few <= low_stock => AvailabilityStatus::Few,
        _ => AvailabilityStatus::Plenty,
    };
    (status, available.clamp(0, MAX_ORDER_QUANTITY))
}

/// Lines in SKU order, each SKU once, each quantity sensible; everybody locks stock in this order.
pub(crate) fn canonical(mut lines: Vec<ReservationLine>) -> Result<Vec<ReservationLine>, Refusal> {
    if lines.is_empty() || lines.len() > MAX_LINES {
        return Err(Refusal::Invalid(format!(
            "a reservation has 1 to {MAX_LINES} lines"
        )));
    }
    lines.sort_by(|a, b| a.sku.cmp(&b.sku));
    let unknowable: Vec<Sku> = lines
        .iter()
        .filter(|line| !is_sku(&line.sku))
        .map(|line| line.sku.clone())
        .collect();
    if !unknowable.is_empty() {
        return Err(Refusal::OutOfStock(unknowable));
    }
    for line in &lines {
        if !(1..=MAX_QUANTITY.unsigned_abs()).contains(&line.quantity) {
            return Err(Refusal::Invalid(format!(
                "a quantity is 1 to {MAX_QUANTITY}: {}",
                line.sku
            )));
        }
    }
    if let Some(twice) = lines.windows(2).find(|pair| pair[0].sku == pair[1].sku) {
        return Err(Refusal::Invalid(format!("a SKU stands once: {}", twice[0].sku)));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(sku: &str, quantity: u32) -> ReservationLine {
        let sku = sku.to_owned();
        ReservationLine { sku, quantity }
    }

    #[test]
    fn a_sku_is_short_and_plain() {
        for good in ["A", "a-b_c.9", &"x".repeat(64)] {
            assert!(is_sku(good), "{good}");
        }
        for bad in ["", " ", "a b", "é", "a\0", &"x".repeat(65)] {
            assert!(!is_sku(bad), "{bad}");
        }
    }

    #[test]
    fn shoppers_see_a_cap_and_a_warning() {
        use AvailabilityStatus::{Few, Nothing, Plenty};
        for (available, expected) in [
            (0, (Nothing, 0)),
            (1, (Few, 1)),
            (5, (Few, 5)),
            (6, (Plenty, 6)),
            (100, (Plenty, 99)),
        ] {
            assert_eq!(availability(available, 5), expected, "{available}");
        }
    }

    #[test]
    fn lines_are_sorted_and_checked() {
        let sorted = canonical(vec![line("b", 1), line("a", 2)]).unwrap();
        assert_eq!(sorted, [line("a", 2), line("b", 1)]);
        for bad in [
            vec![],
            vec![line("a", 0)],
            vec![line("a", 1_000_001)],
            vec![line("a", 1), line("b", 1), line("a", 1)],
            (0..=MAX_LINES).map(|n| line(&n.to_string(), 1)).collect(),
        ] {
            assert!(matches!(canonical(bad), Err(Refusal::Invalid(_))));
        }
        let nonsense = canonical(vec![line("a", 1), line("no sku\0", 1)]);
        assert_eq!(nonsense, Err(Refusal::OutOfStock(vec!["no sku\0".to_owned()])));
    }

    proptest! {
        #[test]
        fn no_movement_of_an_order_makes_or_loses_units(kinds in proptest::collection::vec(2usize..8, 0..5)) {
            let kinds: Vec<_> = kinds.into_iter().map(|n| MovementKind::ALL[n]).collect();
            let Units(available, reserved, sold) = Units::of(&kinds);
            prop_assert_eq!(available + reserved + sold, 0);
        }
    }

    #[test]
    fn kinds_keep_their_names() {
        for kind in MovementKind::ALL {
            assert_eq!(MovementKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(MovementKind::parse("STOLEN"), None);
    }
}
