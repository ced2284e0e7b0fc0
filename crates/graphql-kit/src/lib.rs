//! What every subgraph does alike: error codes, money and pages, the HTTP and WebSocket handlers, limits.
