//! End to end: through the router and the WebSocket, against real processes. The tests are in `it/`.
