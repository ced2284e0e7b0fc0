//! A client of the public graph: the demo, the catalogue import and the replay of real baskets.
