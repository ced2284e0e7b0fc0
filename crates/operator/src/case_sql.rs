//! The statements that read one order's rows; each row is one array of texts, shown as it is.

/// Stands before the UUID of an event, which is shown as its id.
pub(crate) const EVENT: &str = "event ";

/// Heading, column names and statement of each part, in the order they are shown.
pub(crate) const PARTS: [(&str, &[&str], &str); 8] = [
    (
        "Saga",
        &["awaits", "attempt", "next try", "lease", "payment", "stock", "refund", "deadline"],
        "SELECT ARRAY[coalesce(step, 'nothing'), attempt::text,
                coalesce(round(extract(epoch FROM next_run_at - clock_timestamp()))::text || ' s', '-'),
                coalesce(lease_owner || ' for ' || round(extract(epoch FROM lease_until - clock_timestamp()))::text || ' s', '-'),
                payment, stock,
                coalesce(refund_reason || CASE WHEN refund_asked THEN ', asked' ELSE '' END, '-'),
                to_char(deadline_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')]
         FROM saga WHERE order_id = $1",
    ),
    (
        "History",
        &["version", "at", "from", "to", "step", "cause"],
        "SELECT ARRAY[version::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), coalesce(from_status, ''),
                to_status, step, cause]
         FROM order_history WHERE order_id = $1 ORDER BY version",
    ),
    (
        "Calls",
        &["call", "kind", "state", "attempts", "started", "ended", "answer"],
        "SELECT ARRAY[step, kind, status, attempts::text, to_char(started_at AT TIME ZONE 'UTC', 'HH24:MI:SS.MS'),
                coalesce(to_char(ended_at AT TIME ZONE 'UTC', 'HH24:MI:SS.MS'), '-'), coalesce(response, '')]
         FROM saga_step WHERE order_id = $1 ORDER BY started_at",
    ),
    (
        "Returns",
        &["return", "amount", "money", "units", "attempts", "next try", "asked for", "done", "error"],
        "SELECT ARRAY[number::text, amount_minor::text, money, units, attempt::text,
                coalesce(round(extract(epoch FROM next_run_at - clock_timestamp()))::text || ' s', '-'),
                to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                coalesce(to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), '-'), coalesce(last_error, '')]
         FROM order_return WHERE order_id = $1 ORDER BY number",
    ),
    (
        "Timers",
        &["kind", "fires in"],
        "SELECT ARRAY[kind, round(extract(epoch FROM fire_at - clock_timestamp()))::text || ' s']
         FROM saga_timer WHERE order_id = $1 ORDER BY kind",
    ),
    (
        "Cart still to be told",
        &["cart", "attempts", "next try"],
        "SELECT ARRAY[cart_id::text, attempts::text,
                round(extract(epoch FROM next_try_at - clock_timestamp()))::text || ' s']
         FROM cart_checkout WHERE order_id = $1",
    ),
    (
        "Events out",
        &["version", "event", "published", "attempts"],
        "SELECT ARRAY[aggregate_version::text, routing_key,
                coalesce(to_char(published_at AT TIME ZONE 'UTC', 'HH24:MI:SS.MS'), 'WAITING'), attempts::text]
         FROM outbox WHERE aggregate_id = $2 ORDER BY aggregate_version, routing_key",
    ),
    (
        "Events in",
        &["event", "id", "state", "attempts", "received", "error"],
        "SELECT ARRAY[type, 'event ' || message_id::text, status, attempts::text,
                to_char(received_at AT TIME ZONE 'UTC', 'HH24:MI:SS.MS'), coalesce(last_error, '')]
         FROM inbox WHERE aggregate_id = $2 ORDER BY received_at",
    ),
];

/// The order itself and whether it calls for a person.
pub(crate) const ORDER: &str =
    "SELECT o.id, o.number, o.status, o.public_status, o.version, o.total_minor, o.currency, o.reason,
        o.terminal_at IS NOT NULL, round(extract(epoch FROM clock_timestamp() - o.created_at))::bigint,
        s.attention, s.last_error, s.correlation_id
     FROM orders o JOIN saga s ON s.order_id = o.id
     WHERE ($1::uuid IS NOT NULL AND o.id = $1) OR ($2::bigint IS NOT NULL AND o.number = $2)";
