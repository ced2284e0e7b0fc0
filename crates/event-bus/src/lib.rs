//! Events over RabbitMQ: outbox relay, store-and-acknowledge consumer, inbox worker. The only crate that knows lapin.
