//! Relay pages over a keyset: opaque cursors, `first` of 1..=100, one row more fetched than shown.
//!
//! A cursor says where a list goes on and authorises nothing: the query's own conditions do. Its kind and checksum
//! make a damaged cursor, or one of another list, a `BAD_USER_INPUT` instead of a wrong page.

use async_graphql::SimpleObject;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::error::{ApiError, Result};

/// Most items on a page.
pub const MAX_FIRST: u32 = 100;
const CHECKSUM_LEN: usize = 8;
const MAX_CURSOR_LEN: usize = 1024;

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
#[graphql(name = "PageInfo", shareable)]
pub struct PageInfoObject {
    /// Whether more items follow this page.
    pub has_next_page: bool,
    /// Whether items precede this page.
    pub has_previous_page: bool,
    /// The cursor of the first item.
    pub start_cursor: Option<String>,
    /// The cursor of the last item: pass it as `after` for the next page.
    pub end_cursor: Option<String>,
}

/// Checked `first` and `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageArgs<K> {
    /// Items wanted, 1..=100. Fetch one more, to know whether there is a next page.
    pub first: u32,
    /// The key after which the page begins.
    pub after: Option<K>,
}

impl<K> PageArgs<K> {
    /// Rows to fetch: one more than shown.
    pub fn limit(&self) -> i64 {
        i64::from(self.first) + 1
    }
}

/// Checks the arguments of a connection; `kind` names the list, such as `"products.newest"`.
pub fn parse<K: DeserializeOwned>(
    kind: &'static str,
    first: i32,
    after: Option<String>,
) -> Result<PageArgs<K>> {
    let first = u32::try_from(first)
        .ok()
        .filter(|first| (1..=MAX_FIRST).contains(first))
        .ok_or_else(|| ApiError::bad_input("first must be between 1 and 100").at(&["first"]))?;
    let after = after.map(|cursor| decode(kind, &cursor)).transpose()?;
    Ok(PageArgs { first, after })
}

/// The cursor of the item at `key`.
pub fn cursor<K: Serialize>(kind: &'static str, key: &K) -> String {
    // Keys are tuples of numbers and texts, which always have a JSON form; an empty one would fail on decoding.
    let body = serde_json::to_vec(key).unwrap_or_default();
    let mut bytes = checksum(kind, &body).to_vec();
    bytes.extend_from_slice(&body);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn checksum(kind: &str, body: &[u8]) -> [u8; CHECKSUM_LEN] {
    let digest = Sha256::new()
        .chain_update(kind)
        .chain_update([0])
        .chain_update(body)
        .finalize();
    let mut short = [0; CHECKSUM_LEN];
    short.copy_from_slice(&digest[..CHECKSUM_LEN]);
    short
}

fn decode<K: DeserializeOwned>(kind: &'static str, cursor: &str) -> Result<K> {
    let refuse = || ApiError::bad_input("after is not a cursor of this list").at(&["after"]);
    if cursor.len() > MAX_CURSOR_LEN {
        return Err(refuse());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refuse())?;
    let (sum, body) = bytes.split_at_checked(CHECKSUM_LEN).ok_or_else(refuse)?;
    if sum != checksum(kind, body) {
        return Err(refuse());
    }
    serde_json::from_slice(body).map_err(|_| refuse())
}

/// One page of items with their cursors.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items, each with its cursor.
    pub items: Vec<(String, T)>,
    /// Whether more follow.
    pub has_next: bool,
    /// Whether the page is not the first.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// A page of `rows`, of which one more than `first` was fetched; `key` gives what its cursor holds.
    pub fn from_rows<K: Serialize>(
        kind: &'static str,
        mut rows: Vec<T>,
        first: u32,
        has_previous: bool,
        key: impl Fn(&T) -> K,
    ) -> Self {
        let shown = first as usize;
        let has_next = rows.len() > shown;
        rows.truncate(shown);
        let items = rows
            .into_iter()
            .map(|row| (cursor(kind, &key(&row)), row))
            .collect();
        Self {
            items,
            has_next,
            has_previous,
        }
    }

    /// The same page of other items, such as objects made of rows.
    pub fn map<U>(self, mut into: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self
                .items
                .into_iter()
                .map(|(cursor, item)| (cursor, into(item)))
                .collect(),
            has_next: self.has_next,
            has_previous: self.has_previous,
        }
    }

    /// What `pageInfo` answers.
    pub fn page_info(&self) -> PageInfoObject {
        PageInfoObject {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: self.items.first().map(|(cursor, _)| cursor.clone()),
            end_cursor: self.items.last().map(|(cursor, _)| cursor.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_is_between_1_and_100() {
        for first in [1, 20, 100] {
            assert!(parse::<i64>("orders", first, None).is_ok(), "{first}");
        }
        for first in [0, -1, 101, 1_000_000, i32::MIN, i32::MAX] {
            assert!(parse::<i64>("orders", first, None).is_err(), "{first}");
        }
    }

    #[test]
    fn the_extra_row_is_not_shown() {
        let page = Page::from_rows("n", vec![1, 2, 3], 2, false, |n| *n);
        assert_eq!(page.items.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [1, 2]);
        assert!(page.page_info().has_next_page);
        let rest = Page::from_rows("n", vec![3], 2, true, |n| *n);
        assert!(!rest.page_info().has_next_page);
        assert!(rest.page_info().has_previous_page);
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back(number: i64, text in ".{0,40}") {
            let key = (number, text);
            let after = Some(cursor("orders", &key));
            prop_assert_eq!(parse::<(i64, String)>("orders", 1, after).unwrap().after, Some(key));
        }

        #[test]
        fn another_lists_cursor_is_refused(number: i64) {
            let after = Some(cursor("orders", &number));
            prop_assert!(parse::<i64>("payments", 1, after).is_err());
        }

        #[test]
        fn a_changed_cursor_is_refused(number: i64, at: prop::sample::Index, with in "[A-Za-z0-9_=+/ -]") {
            let good = cursor("orders", &(number, "x"));
            let at = at.index(good.len());
            let bad = format!("{}{with}{}", &good[..at], &good[at + 1..]);
            prop_assume!(bad != good);
            prop_assert!(parse::<(i64, String)>("orders", 1, Some(bad)).is_err());
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text in "\\PC{0,80}") {
            prop_assert!(parse::<i64>("orders", 1, Some(text)).is_err());
        }
    }
}
