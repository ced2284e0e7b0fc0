//! What is told, in plain words: the same in the shop and in a mail.

use contracts::Money;
use contracts::order::CancelReason;

use super::What;

/// A line to head it with; a mail's subject.
pub const fn title(what: &What) -> &'static str {
    match what {
        What::OrderReceived { .. } => "We have your order",
        What::OrderPaid => "Your order is paid",
        What::OrderCancelled { .. } => "Your order was cancelled",
        What::OrderShipped => "Your order is on its way",
        What::OrderDelivered => "Your order was delivered",
        What::RefundCompleted { .. } => "Your money is on its way back",
    }
}

/// One or two sentences.
pub fn body(what: &What) -> String {
    match what {
        What::OrderReceived { total } => {
            format!(
                "Thank you. The total is {}. We tell you as soon as it is paid.",
                amount(*total)
            )
        }
        What::OrderPaid => "The payment is in, and everything you ordered is set aside for you.".to_owned(),
        What::OrderCancelled { reason } => format!("{} You pay nothing.", why(*reason)),
        What::OrderShipped => "It has left our warehouse.".to_owned(),
        What::OrderDelivered => "It has arrived. We hope you like it.".to_owned(),
        What::RefundCompleted { amount: money } => format!(
            "We have sent {} back the way you paid. Your bank may take some days to show it.",
            amount(*money)
        ),
    }
}

/// Why an order was cancelled, as a sentence.
const fn why(reason: Option<CancelReason>) -> &'static str {
    match reason {
        Some(CancelReason::OutOfStock) => "We no longer have enough of what you ordered.",
        Some(CancelReason::PaymentDeclined) => "Your bank declined the payment.",
        Some(CancelReason::PaymentTimeout) => "The payment did not come in time.",
        Some(CancelReason::Customer) => "You asked for it.",
        Some(CancelReason::Operator) => "Our staff had to cancel it.",
        None => "It could not be carried out.",
    }
}

/// An amount as people read it.
pub fn amount(money: Money) -> String {
    let (minor, digits) = (money.amount_minor.unsigned_abs(), money.currency.exponent());
    let one = 10_u64.pow(digits);
    let sign = if money.amount_minor < 0 { "-" } else { "" };
    let whole = minor / one;
    if digits == 0 {
        return format!("{sign}{whole} {}", money.currency);
    }
    let width = digits as usize;
    format!("{sign}{whole}.{:0width$} {}", minor % one, money.currency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::Currency;

    #[test]
    fn every_reason_has_its_own_sentence() {
        let reasons = [
            None,
            Some(CancelReason::OutOfStock),
            Some(CancelReason::PaymentDeclined),
            Some(CancelReason::PaymentTimeout),
            Some(CancelReason::Customer),
            Some(CancelReason::Operator),
        ];
        let said: std::collections::HashSet<_> = reasons
            .iter()
            .map(|reason| body(&What::OrderCancelled { reason: *reason }))
            .collect();
        assert_eq!(said.len(), reasons.len());
        assert!(
            said.iter()
                .all(|text| !text.contains('_') && text.ends_with("You pay nothing."))
        );
    }

    #[test]
    fn amounts_have_their_currencys_digits() {
        for (minor, currency, text) in [
            (1_999, "USD", "19.99 USD"),
            (5, "EUR", "0.05 EUR"),
            (1_500, "JPY", "1500 JPY"),
            (1_234_567, "KWD", "1234.567 KWD"),
        ] {
            let currency: Currency = currency.parse().unwrap();
            assert_eq!(amount(Money::new(minor, currency)), text);
            let refund = What::RefundCompleted {
                amount: Money::new(minor, currency),
            };
            assert!(body(&refund).contains(text));
        }
    }
}
