-- The feed reads what it may have missed by time. History only grows, in the order of time: a few pages tell where to look.
CREATE INDEX order_history_at ON order_history USING brin (at) WITH (pages_per_range = 16, autosummarize = on);
