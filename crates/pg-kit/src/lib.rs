//! PostgreSQL as every service uses it: pool, migrations, what may be retried, idempotency keys.
