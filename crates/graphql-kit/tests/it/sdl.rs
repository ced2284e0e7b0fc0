//! The SDL as it is committed.

use std::sync::Arc;

use crate::toy;

#[test]
fn the_sdl_is_sorted_and_complete() {
    let sdl = graphql_kit::sdl(&toy::schema(&Arc::default()));
    insta::assert_snapshot!(sdl);
}

#[test]
fn the_sdl_is_the_same_every_time() {
    let once = graphql_kit::sdl(&toy::schema(&Arc::default()));
    assert_eq!(once, graphql_kit::sdl(&toy::schema(&Arc::default())));
    assert!(!once.contains("directive @"), "built-in directives are left out");
}
