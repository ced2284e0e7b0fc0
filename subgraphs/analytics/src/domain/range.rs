//! The time of a report, in whole hours or days of UTC.

use chrono::{DateTime, DurationRound, NaiveDate, NaiveTime, TimeDelta, Utc};

/// What a report is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// Hours.
    Hour,
    /// Days.
    Day,
}

/// Longest report by the hour.
pub const MAX_DAYS_BY_HOUR: i64 = 31;
/// Longest report by the day.
pub const MAX_DAYS_BY_DAY: i64 = 400;

/// A time that is cut into whole intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub from: DateTime<Utc>,
    /// Where it ends; not part of it.
    pub to: DateTime<Utc>,
    /// What it is cut into.
    pub interval: Interval,
}

/// Why there is no such report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It ends before it begins.
    #[error("from must be before to")]
    Backwards,
    /// It has too many intervals.
    #[error("a report is over at most {MAX_DAYS_BY_HOUR} days by the hour, or {MAX_DAYS_BY_DAY} by the day")]
    TooLong,
    /// Nobody sold anything then.
    #[error("the years are 1970 to 9999")]
    OutOfTime,
}

impl Range {
    /// A range that holds `from` and what comes before `to`, widened to whole intervals.
    pub fn try_new(from: DateTime<Utc>, to: DateTime<Utc>, interval: Interval) -> Result<Self, RangeError> {
        if from >= to {
            return Err(RangeError::Backwards);
        }
        // 9999-12-31; what is beyond can't be rounded, or is not what a database keeps.
        let known = 0..253_402_214_400;
        if !known.contains(&from.timestamp()) || !known.contains(&to.timestamp()) {
            return Err(RangeError::OutOfTime);
        }
        let days = match interval {
            Interval::Hour => MAX_DAYS_BY_HOUR,
            Interval::Day => MAX_DAYS_BY_DAY,
        };
        if to.signed_duration_since(from) > TimeDelta::days(days) {
            return Err(RangeError::TooLong);
        }
        let begun = interval.begin(to);
        let ended = if begun == to {
            to
        } else {
            begun + interval.length()
        };
        Ok(Self {
            from: interval.begin(from),
            to: ended,
            interval,
        })
    }

    /// Where its intervals begin.
    pub fn points(self) -> impl Iterator<Item = DateTime<Utc>> {
        let next = move |at: &DateTime<Utc>| Some(*at + self.interval.length());
        std::iter::successors(Some(self.from), next).take_while(move |at| *at < self.to)
    }

    /// The first day that has a part in it.
    pub fn first_day(self) -> NaiveDate {
        day(self.from)
    }

    /// The last day that has a part in it.
    pub fn last_day(self) -> NaiveDate {
        day(self.to - TimeDelta::microseconds(1))
    }
}

impl Interval {
    /// How long it is.
    pub const fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }

    /// Where the interval with an instant in it begins.
    pub fn begin(self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Hour => hour(at),
            Self::Day => day(at).and_time(NaiveTime::MIN).and_utc(),
        }
    }
}

/// The hour of an instant.
pub fn hour(at: DateTime<Utc>) -> DateTime<Utc> {
    // An instant that chrono can't round is centuries away from any order.
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or_default()
}

/// The day of an instant.
pub fn day(at: DateTime<Utc>) -> NaiveDate {
    at.date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_has_whole_intervals() {
        let (from, to) = (at("2026-11-27T05:20:00Z"), at("2026-11-27T07:00:01Z"));
        let hours = Range::try_new(from, to, Interval::Hour).unwrap();
        let points: Vec<_> = hours.points().map(|at| at.to_rfc3339()).collect();
        assert_eq!(
            points,
            [
                "2026-11-27T05:00:00+00:00",
                "2026-11-27T06:00:00+00:00",
                "2026-11-27T07:00:00+00:00"
            ]
        );
        let days = Range::try_new(from, to, Interval::Day).unwrap();
        assert_eq!(days.points().count(), 1);
        assert_eq!((days.first_day(), days.last_day()), (day(from), day(to)));
        let whole = Range::try_new(
            at("2026-11-27T00:00:00Z"),
            at("2026-11-28T00:00:00Z"),
            Interval::Hour,
        );
        assert_eq!(whole.unwrap().points().count(), 24);
        assert_eq!(whole.unwrap().last_day(), day(from));
    }

    #[test]
    fn a_range_that_makes_no_report_is_refused() {
        let from = at("2026-01-01T00:00:00Z");
        let ask = |days: i64, interval| Range::try_new(from, from + TimeDelta::days(days), interval);
        assert_eq!(ask(0, Interval::Hour), Err(RangeError::Backwards));
        assert_eq!(ask(-1, Interval::Day), Err(RangeError::Backwards));
        assert!(ask(31, Interval::Hour).is_ok() && ask(400, Interval::Day).is_ok());
        assert_eq!(ask(32, Interval::Hour), Err(RangeError::TooLong));
        assert_eq!(ask(401, Interval::Day), Err(RangeError::TooLong));
        let edge = Range::try_new(DateTime::<Utc>::MIN_UTC, from, Interval::Hour);
        assert_eq!(edge, Err(RangeError::OutOfTime));
        let edge = Range::try_new(from, DateTime::<Utc>::MAX_UTC, Interval::Day);
        assert_eq!(edge, Err(RangeError::OutOfTime));
    }
}
