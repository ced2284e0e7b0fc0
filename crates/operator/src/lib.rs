//! What an operator does: looks at one order, moves it through the admin graph, gives events a fresh start.
//!
//! Owns the ways out for what got stuck. It reads order's tables to show them; it must not move an order by
//! itself, nor know the saga's rules: those are asked for in the graph, so that they hold.

pub mod case;
mod case_sql;
pub mod events;
pub mod parking;
pub mod remedy;
pub mod sales;
mod text;
