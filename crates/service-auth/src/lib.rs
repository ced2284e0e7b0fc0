//! Who is calling: user tokens, service tokens, the extractors for both, and the client that calls another service.
