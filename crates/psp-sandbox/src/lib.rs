//! A payment provider to run against: Stripe's wire format, own process, own durable state.
