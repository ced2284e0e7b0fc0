//! What is broken when. Pure: the same seed and size give the same schedule.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use crate::world::Kind;

/// The services that carry money and stock.
pub(crate) const VICTIMS: [&str; 3] = ["order", "payment", "inventory"];
/// Those that only hear of orders. No order waits for them.
pub(crate) use roster::OPTIONAL as LISTENERS;
/// All services, in the order of a rolling restart.
pub(crate) const ROLLING: [&str; 7] = [
    "auth",
    "product",
    "cart",
    "inventory",
    "payment",
    "order",
    "order-2",
];

/// One fault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// SIGKILL of one service or several at once, which are then started again.
    Kill {
        victims: Vec<&'static str>,
        down: Duration,
    },
    /// SIGSTOP, then SIGCONT.
    Freeze { victim: &'static str, lasts: Duration },
    /// RabbitMQ stops in good order.
    BrokerStop { down: Duration },
    /// RabbitMQ is killed.
    BrokerKill { down: Duration },
    /// Every AMQP connection is closed by the broker.
    BrokerDrop,
    /// RabbitMQ blocks all publishers.
    MemoryAlarm { lasts: Duration },
    /// PostgreSQL's immediate shutdown: recovery at the next start.
    PostgresCrash,
    /// Every connection of the services is terminated.
    Terminate,
    /// Redis is killed; it comes back empty.
    RedisKill,
    /// FLUSHALL.
    RedisFlush,
    /// Connections of one kind of link are reset.
    Reset(Kind),
    /// One direction of them is closed.
    HalfClose(Kind),
    /// Replies of new connections are cut after so many bytes.
    Cut { kind: Kind, bytes: u64, lasts: Duration },
    /// Nothing passes one kind of link.
    Blackhole { kind: Kind, lasts: Duration },
    /// All is late on one kind of link.
    Delay {
        kind: Kind,
        delay: Duration,
        jitter: Duration,
        lasts: Duration,
    },
    /// Messages nobody can understand.
    Poison { each: u32 },
    /// Every service is stopped by SIGTERM and started again, one after the other.
    Rolling,
}

impl Fault {
    /// What is counted.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "SIGKILL of a service",
            Self::Freeze { .. } => "SIGSTOP of a service",
            Self::BrokerStop { .. } => "RabbitMQ restarted",
            Self::BrokerKill { .. } => "RabbitMQ killed",
            Self::BrokerDrop => "AMQP connections closed",
            Self::MemoryAlarm { .. } => "RabbitMQ memory alarm",
            Self::PostgresCrash => "PostgreSQL crashed",
            Self::Terminate => "backends terminated",
            Self::RedisKill => "Redis killed",
            Self::RedisFlush => "Redis flushed",
            Self::Reset(_) => "TCP resets",
            Self::HalfClose(_) => "TCP half-closes",
            Self::Cut { .. } => "replies cut short",
            Self::Blackhole { .. } => "blackholes",
            Self::Delay { .. } => "delays",
            Self::Poison { .. } => "poison messages",
            Self::Rolling => "rolling restarts",
        }
    }

    /// Whether no order can be expected to end while it lasts. The others may cost time, and no more.
    pub(crate) fn stops_orders(&self) -> bool {
        match self {
            Self::Kill { victims, .. } => victims.iter().any(|victim| !LISTENERS.contains(victim)),
            Self::Freeze { .. }
            | Self::BrokerStop { .. }
            | Self::BrokerKill { .. }
            | Self::MemoryAlarm { .. }
            | Self::PostgresCrash
            | Self::Rolling => true,
            Self::Blackhole { kind, .. } => matches!(kind, Kind::Calls | Kind::Postgres | Kind::Broker),
            _ => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Duration::as_secs_f64;
        write!(f, "{}", self.kind())?;
        match self {
            Self::Kill { victims, down } => {
                write!(f, ": {}, down {:.1} s", victims.join(", "), seconds(down))
            }
            Self::Freeze { victim, lasts } => write!(f, ": {victim} for {:.1} s", seconds(lasts)),
            Self::BrokerStop { down } | Self::BrokerKill { down } => {
                write!(f, ", down {:.1} s", seconds(down))
            }
            Self::MemoryAlarm { lasts } => write!(f, " for {:.1} s", seconds(lasts)),
            Self::Reset(kind) | Self::HalfClose(kind) => write!(f, ": {}", kind.name()),
            Self::Cut { kind, bytes, lasts } => {
                write!(
                    f,
                    ": {} after {bytes} bytes, for {:.1} s",
                    kind.name(),
                    seconds(lasts)
                )
            }
            Self::Blackhole { kind, lasts } => write!(f, ": {} for {:.1} s", kind.name(), seconds(lasts)),
            Self::Delay {
                kind,
                delay,
                jitter,
                lasts,
            } => {
                let (delay, jitter) = (delay.as_millis(), jitter.as_millis());
                write!(
                    f,
                    ": {} by {delay} to {} ms for {:.1} s",
                    kind.name(),
                    delay + jitter,
                    seconds(lasts)
                )
            }
            Self::Poison { each } => write!(f, ": {each} of each sort"),
            _ => Ok(()),
        }
    }
}

/// How much of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Smoke,
    Soak,
}

/// A fault and when it begins; it begins later when the one before lasts longer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planned {
    pub(crate) at: Duration,
    pub(crate) fault: Fault,
}

/// The faults of a campaign whose load lasts `length`.
pub(crate) fn draw(seed: u64, size: Size, length: Duration) -> Vec<Planned> {
    let mut dice = Dice(StdRng::seed_from_u64(seed));
    let mut faults = match size {
        Size::Smoke => dice.smoke(),
        Size::Soak => dice.soak(),
    };
    faults.shuffle(&mut dice.0);
    // The first orders come through in peace, and faults end before the load does.
    let (from, to) = (length.mul_f64(0.03), length.mul_f64(0.9));
    let slots = u32::try_from(faults.len()).unwrap_or(u32::MAX).max(1);
    let slot = (to.saturating_sub(from)) / slots;
    let mut at = from;
    let planned = faults.into_iter().map(|fault| {
        let begins = at + slot.mul_f64(dice.0.random_range(0.0..0.6));
        at += slot;
        Planned { at: begins, fault }
    });
    planned.collect()
}

struct Dice(StdRng);

impl Dice {
    fn seconds(&mut self, from: f64, to: f64) -> Duration {
        Duration::from_secs_f64(self.0.random_range(from..to))
    }

    fn kill(&mut self, victims: &[&'static str]) -> Fault {
        Fault::Kill {
            victims: victims.to_vec(),
            down: self.seconds(0.0, 2.0),
        }
    }

    fn freeze(&mut self, victim: &'static str, longest_s: f64) -> Fault {
        Fault::Freeze {
            victim,
            lasts: self.seconds(2.0, longest_s),
        }
    }

    fn blackhole(&mut self, kind: Kind, longest_s: f64) -> Fault {
        Fault::Blackhole {
            kind,
            lasts: self.seconds(5.0, longest_s),
        }
    }

    fn delay(&mut self, kind: Kind) -> Fault {
        Fault::Delay {
            kind,
            delay: self.seconds(0.05, 0.3),
            jitter: self.seconds(0.0, 0.2),
            lasts: self.seconds(4.0, 8.0),
        }
    }

    fn cut(&mut self, kind: Kind) -> Fault {
        Fault::Cut {
            kind,
            bytes: self.0.random_range(40..600),
            lasts: self.seconds(2.0, 4.0),
        }
    }

    fn smoke(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for victim in VICTIMS {
            faults.extend([self.kill(&[victim]), self.kill(&[victim])]);
            faults.push(self.freeze(victim, 10.0));
        }
        for listener in LISTENERS {
            faults.push(self.kill(&[listener]));
        }
        faults.extend([
            Fault::BrokerStop {
                down: Duration::from_secs(2),
            },
            Fault::BrokerKill {
                down: Duration::from_secs(10),
            },
            Fault::BrokerDrop,
            Fault::BrokerDrop,
            Fault::MemoryAlarm {
                lasts: Duration::from_secs(15),
            },
            Fault::PostgresCrash,
            Fault::Terminate,
            Fault::Terminate,
            Fault::RedisKill,
            Fault::RedisFlush,
            Fault::Poison { each: 5 },
            Fault::Rolling,
        ]);
        for kind in [Kind::Calls, Kind::Postgres, Kind::Broker] {
            faults.extend([self.blackhole(kind, 7.0), self.delay(kind)]);
        }
        faults.extend(Kind::ALL.map(Fault::Reset));
        faults.extend([Kind::Calls, Kind::Postgres].map(Fault::HalfClose));
        faults.extend([self.cut(Kind::Calls), self.cut(Kind::Provider)]);
        faults
    }

    fn soak(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for _ in 0..25 {
            faults.extend(VICTIMS.map(|victim| self.kill(&[victim])));
        }
        for pair in [
            ["order", "payment"],
            ["order-2", "inventory"],
            ["payment", "inventory"],
        ] {
            faults.extend([self.kill(&pair), self.kill(&pair)]);
        }
        for _ in 0..7 {
            faults.extend(VICTIMS.map(|victim| self.freeze(victim, 40.0)));
        }
        for _ in 0..5 {
            faults.push(Fault::BrokerStop {
                down: self.seconds(5.0, 60.0),
            });
            faults.push(Fault::BrokerKill {
                down: self.seconds(5.0, 60.0),
            });
            faults.push(Fault::MemoryAlarm {
                lasts: Duration::from_secs(15),
            });
            faults.extend([Fault::PostgresCrash, Fault::RedisKill, Fault::RedisFlush]);
            faults.extend(Kind::ALL.map(Fault::Reset));
            faults.extend([Kind::Calls, Kind::Postgres, Kind::Broker].map(Fault::HalfClose));
            for kind in Kind::ALL {
                faults.extend([self.blackhole(kind, 30.0), self.delay(kind), self.cut(kind)]);
            }
        }
        faults.extend(vec![Fault::BrokerDrop; 40]);
        faults.extend(vec![Fault::Terminate; 30]);
        faults.extend(vec![Fault::Rolling; 3]);
        faults.extend(vec![Fault::Poison { each: 10 }; 5]);
        faults
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const FIVE_MINUTES: Duration = Duration::from_mins(5);

    #[test]
    fn a_seed_replays_and_another_differs() {
        let plan = draw(7, Size::Smoke, FIVE_MINUTES);
        assert_eq!(plan, draw(7, Size::Smoke, FIVE_MINUTES));
        assert_ne!(plan, draw(8, Size::Smoke, FIVE_MINUTES));
        assert!(plan.is_sorted_by_key(|planned| planned.at));
        assert!(plan.last().unwrap().at < FIVE_MINUTES);
    }

    #[test]
    fn smoke_has_every_kind_of_fault_in_its_number() {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for planned in draw(1, Size::Smoke, FIVE_MINUTES) {
            *counts.entry(planned.fault.kind()).or_default() += 1;
        }
        assert_eq!(counts.len(), 17, "{counts:?}");
        assert_eq!(
            counts["SIGKILL of a service"], 10,
            "two of each victim, one of each listener"
        );
        assert_eq!(counts["SIGSTOP of a service"], 3);
        assert_eq!(counts["AMQP connections closed"], 2);
        assert_eq!(counts["backends terminated"], 2);
    }

    #[test]
    fn soak_is_smoke_and_more() {
        let kinds = |size| {
            let planned = draw(1, size, FIVE_MINUTES).into_iter();
            planned
                .map(|planned| planned.fault.kind())
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(kinds(Size::Smoke), kinds(Size::Soak));
    }
}
