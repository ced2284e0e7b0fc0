//! Host wiring of a service: telemetry, environment, health, metrics, serve and drain, clock.
