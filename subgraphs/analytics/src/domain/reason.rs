//! Why orders were given up, as the sums spell it, which is also how the wire does.

use contracts::order::CancelReason;

const TEXTS: [(CancelReason, &str); 5] = [
    (CancelReason::OutOfStock, "OUT_OF_STOCK"),
    (CancelReason::PaymentDeclined, "PAYMENT_DECLINED"),
    (CancelReason::PaymentTimeout, "PAYMENT_TIMEOUT"),
    (CancelReason::Customer, "CUSTOMER"),
    (CancelReason::Operator, "OPERATOR"),
];

/// The text of a reason.
pub fn text(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::OutOfStock => TEXTS[0].1,
        CancelReason::PaymentDeclined => TEXTS[1].1,
        CancelReason::PaymentTimeout => TEXTS[2].1,
        CancelReason::Customer => TEXTS[3].1,
        CancelReason::Operator => TEXTS[4].1,
    }
}

/// The reason of a text.
pub fn read(text: &str) -> Option<CancelReason> {
    let known = TEXTS.iter().find(|(_, known)| *known == text);
    known.map(|(reason, _)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_and_is_spelled_as_on_the_wire() {
        for (reason, spelled) in TEXTS {
            assert_eq!((text(reason), read(spelled)), (spelled, Some(reason)));
            assert_eq!(serde_json::to_value(reason).unwrap(), spelled);
        }
        assert_eq!(read("LOST"), None);
    }
}
