-- The trace of the request that started the payment: what the provider's webhook or recovery brings belongs to it too.
ALTER TABLE payment ADD COLUMN traceparent text;
