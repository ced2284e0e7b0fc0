//! How much is allowed: for each class of operations a rate and a burst.

use std::fmt;
use std::str::FromStr;

/// What kind of operation is counted; each has buckets of its own, so that a page full of reads stops no purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Reads.
    Query,
    /// Changes.
    Mutation,
    /// Streams that are opened.
    Subscription,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Query, Self::Mutation, Self::Subscription];

    /// The name in settings, keys and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// So many in the long run, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_minute: u32,
    /// At once, after a pause.
    pub burst: u32,
}

/// The rates of all classes; none for a class is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates([Option<Rate>; 3]);

impl Rates {
    /// No limits.
    pub const OFF: Self = Self([None; 3]);

    /// What a shopper never reaches, and a script soon does.
    pub const PRODUCTION: Self = Self([
        Some(Rate {
            per_minute: 1_200,
            burst: 300,
        }),
        Some(Rate {
            per_minute: 300,
            burst: 100,
        }),
        Some(Rate {
            per_minute: 120,
            burst: 60,
        }),
    ]);

    /// What no tool of the house reaches on one machine, so that the way to Redis is used all the same.
    pub const DEVELOPMENT: Self = Self(
        [Some(Rate {
            per_minute: 600_000,
            burst: 100_000,
        }); 3],
    );

    /// The rate of a class.
    pub const fn of(&self, class: Class) -> Option<Rate> {
        self.0[class as usize]
    }
}

/// The text is no list of rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `off`, or `query=PER_MINUTE/BURST,mutation=..,subscription=..` with numbers above zero")]
pub struct RatesError;

/// `off`, or classes with their rates, such as `query=1200/300,mutation=300/100`. A class that is not named has no limit.
impl FromStr for Rates {
    type Err = RatesError;

    fn from_str(text: &str) -> Result<Self, RatesError> {
        let mut rates = Self::OFF;
        if text.trim() == "off" {
            return Ok(rates);
        }
        for entry in text.split(',') {
            let (name, rate) = entry.trim().split_once('=').ok_or(RatesError)?;
            let class = Class::ALL
                .into_iter()
                .find(|class| class.as_str() == name.trim())
                .ok_or(RatesError)?;
            let place = &mut rates.0[class as usize];
            if place.replace(rate.parse()?).is_some() {
                return Err(RatesError);
            }
        }
        Ok(rates)
    }
}

impl FromStr for Rate {
    type Err = RatesError;

    fn from_str(text: &str) -> Result<Self, RatesError> {
        let number = |text: &str| match text.trim().parse() {
            Ok(0) | Err(_) => Err(RatesError),
            Ok(number) => Ok(number),
        };
        let (per_minute, burst) = text.split_once('/').ok_or(RatesError)?;
        Ok(Self {
            per_minute: number(per_minute)?,
            burst: number(burst)?,
        })
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for class in Class::ALL {
            if let Some(Rate { per_minute, burst }) = self.of(class) {
                write!(f, "{separator}{}={per_minute}/{burst}", class.as_str())?;
                separator = ",";
            }
        }
        if separator.is_empty() {
            f.write_str("off")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn settings_are_read_and_written_alike() {
        for rates in [Rates::OFF, Rates::PRODUCTION, Rates::DEVELOPMENT] {
            assert_eq!(rates.to_string().parse(), Ok(rates));
        }
        let some: Rates = " mutation=60/5 ".parse().unwrap();
        assert_eq!(some.of(Class::Query), None);
        assert_eq!(
            some.of(Class::Mutation),
            Some(Rate {
                per_minute: 60,
                burst: 5
            })
        );
    }

    #[test]
    fn slips_are_refused() {
        for text in [
            "",
            "on",
            "query",
            "query=1",
            "query=0/1",
            "query=1/0",
            "query=-1/1",
            "query=1/1,query=1/1",
            "queries=1/1",
            "query=1/1,",
            "query=4294967296/1",
        ] {
            assert_eq!(text.parse::<Rates>(), Err(RatesError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z=/,0-9 ]{0,40}") {
            if let Ok(rates) = text.parse::<Rates>() {
                prop_assert_eq!(rates.to_string().parse(), Ok(rates));
            }
        }
    }
}
