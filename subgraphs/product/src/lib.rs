//! The catalogue: products, variants, prices, categories.
