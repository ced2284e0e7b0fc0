//! Whom analytics asks: cart, how many carts were begun.

mod cart;

pub use cart::Cart;
