//! What sending a parcel costs: by zone and by started kilogram.

use contracts::{Currency, Money};

use super::Refusal;

const EUROPEAN_UNION: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];
const GRAMS_PER_KG: i64 = 1000;

/// (base, per started kilogram) in cents.
fn rates(country: &str) -> (i64, i64) {
    match country {
        "US" => (499, 150),
        "CA" | "MX" => (899, 350),
        _ if EUROPEAN_UNION.contains(&country) || matches!(country, "GB" | "CH" | "NO") => (1299, 600),
        _ => (1999, 900),
    }
}

/// The cost of sending `quantity` pieces of `weight_grams` each to a country (ISO 3166-1 alpha-2), in US dollars.
pub(crate) fn estimate(country: &str, weight_grams: i32, quantity: i32) -> Result<Money, Refusal> {
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Refusal::Invalid(
            "a country is two capital letters, such as US".to_owned(),
        ));
    }
    if !(1..=999).contains(&quantity) {
        return Err(Refusal::Invalid("a quantity is 1 to 999".to_owned()));
    }
    let grams = i64::from(weight_grams.max(1)) * i64::from(quantity);
    let (base, per_kg) = rates(country);
    let kilograms = grams.div_euclid(GRAMS_PER_KG) + i64::from(grams % GRAMS_PER_KG != 0);
    Ok(Money::new(base + per_kg * kilograms, Currency::USD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_grow_with_distance_and_started_kilograms() {
        for (country, grams, quantity, cents) in [
            ("US", 1, 1, 649),
            ("US", 1000, 1, 649),
            ("US", 1001, 1, 799),
            ("US", 500, 3, 799),
            ("DE", 200, 1, 1899),
            ("AU", 200, 1, 2899),
            ("AU", i32::MAX, 999, 1999 + 900 * 2_145_336_164),
        ] {
            assert_eq!(
                estimate(country, grams, quantity),
                Ok(Money::new(cents, Currency::USD)),
                "{country} {grams} {quantity}"
            );
        }
    }

    #[test]
    fn refuses_nonsense() {
        for (country, quantity) in [
            ("", 1),
            ("usa", 1),
            ("us", 1),
            ("Ü", 1),
            ("US", 0),
            ("US", -1),
            ("US", 1000),
        ] {
            assert!(estimate(country, 100, quantity).is_err(), "{country} {quantity}");
        }
    }
}
