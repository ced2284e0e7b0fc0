//! What a misspelt search most likely meant, given the catalogue's words that look like its own.

/// A longer text is not corrected: it is no slip of a finger, and a cursor must hold it.
pub const LONGEST_CORRECTED: usize = 200;

/// A word of a search, as it was folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The word.
    pub word: String,
    /// Words of the catalogue that look like it; `None` when the word itself stands, since the catalogue knows it or
    /// it is too short or too much of a code to be corrected.
    pub near: Option<Vec<Near>>,
}

/// A word of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The word.
    pub word: String,
    /// How many products have it.
    pub products: i32,
}

/// The search with its unknown words corrected; `None` when there is none, or one that is like nothing known.
pub fn corrected(asked: &[Asked]) -> Option<String> {
    asked.iter().find(|one| one.near.is_some())?;
    let words: Option<Vec<&str>> = asked.iter().map(Asked::meant).collect();
    words.map(|words| words.join(" "))
}

impl Asked {
    fn meant(&self) -> Option<&str> {
        let Some(near) = &self.near else {
            return Some(&self.word);
        };
        let asked: Vec<char> = self.word.chars().collect();
        let best = near
            .iter()
            .filter_map(|near| Some((slips(&asked, &near.word)?, near)))
            .min_by_key(|(slips, near)| (*slips, std::cmp::Reverse(near.products), &near.word))?;
        Some(&best.1.word)
    }
}

/// How far a word is from the one asked for: from its nearest beginning, since people search before they have typed
/// to the end, then from the whole. `None` when that is too far.
fn slips(asked: &[char], known: &str) -> Option<(usize, usize)> {
    let known: Vec<char> = known.chars().collect();
    let row = distances(asked, &known);
    let begun = row.iter().copied().min().unwrap_or(usize::MAX);
    let whole = row.last().copied().unwrap_or(usize::MAX);
    (begun <= forgiven(asked.len())).then_some((begun, whole))
}

/// Slips that a word of this many letters is forgiven. In a short word each one makes another word.
const fn forgiven(letters: usize) -> usize {
    if letters < 7 { 1 } else { 2 }
}

/// Letters to add, drop, change or swap with the next, from `asked` to each beginning of `known`.
fn distances(asked: &[char], known: &[char]) -> Vec<usize> {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=known.len()).collect();
    for (i, letter) in asked.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in known.iter().enumerate() {
            let changed = last[j] + usize::from(letter != other);
            let mut least = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == known[j - 1] && asked[i - 1] == *other {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unknown(word: &str, near: &[(&str, i32)]) -> Asked {
        let near = near.iter().map(|(word, products)| Near {
            word: (*word).to_owned(),
            products: *products,
        });
        Asked {
            word: word.to_owned(),
            near: Some(near.collect()),
        }
    }

    fn known(word: &str) -> Asked {
        Asked {
            word: word.to_owned(),
            near: None,
        }
    }

    #[test]
    fn the_nearest_word_is_meant() {
        type Case = (&'static str, &'static [(&'static str, i32)], Option<&'static str>);
        let cases: [Case; 12] = [
            ("cofee", &[("coffee", 3), ("toffee", 90)], Some("coffee")),
            ("cofe", &[("coffee", 3), ("care", 9)], Some("coffee")),
            ("tabel", &[("tablet", 50), ("table", 2)], Some("table")),
            ("skilet", &[("skillet", 1)], Some("skillet")),
            ("skil1", &[("milk", 9)], None),
            ("stonwear", &[("stoneware", 1), ("stone", 40)], Some("stoneware")),
            ("headfones", &[("headphones", 1)], Some("headphones")),
            // Still being typed.
            ("choclat", &[("chocolate", 9)], Some("chocolate")),
            // As near as each other: what more products have.
            ("beansx", &[("beansy", 1), ("beansz", 2)], Some("beansz")),
            ("beansx", &[("beansz", 2), ("beansy", 2)], Some("beansy")),
            // Two slips are too many in six letters.
            ("toblet", &[("cabled", 1)], None),
            ("xylophone", &[], None),
        ];
        for (asked, near, meant) in cases {
            assert_eq!(corrected(&[unknown(asked, near)]).as_deref(), meant, "{asked}");
        }
    }

    #[test]
    fn all_words_stand_or_the_search_does() {
        let coffee = || unknown("cofee", &[("coffee", 1)]);
        let nothing = || unknown("qqqqq", &[("queue", 1)]);
        for (asked, text) in [
            (vec![known("ice"), coffee(), known("22")], Some("ice coffee 22")),
            (vec![coffee(), nothing()], None),
            (vec![known("ice"), known("tea")], None),
            (vec![], None),
        ] {
            assert_eq!(corrected(&asked).as_deref(), text, "{asked:?}");
        }
    }

    proptest! {
        #[test]
        fn one_slip_is_one_away(word in "[a-z]{5,12}", at in 0_usize..5, letter in "[a-z]", kind in 0..4) {
            let known: Vec<char> = word.chars().collect();
            let mut asked = known.clone();
            match kind {
                0 => asked.insert(at, letter.chars().next().unwrap()),
                1 => { asked.remove(at); }
                2 => asked[at] = letter.chars().next().unwrap(),
                _ => asked.swap(at, (at + 1).min(known.len() - 1)),
            }
            prop_assert!(*distances(&asked, &known).last().unwrap() <= 1);
        }

        #[test]
        fn any_words_are_measured_without_a_panic(asked in "\\PC{0,20}", known in "\\PC{0,20}") {
            let asked: Vec<char> = asked.chars().collect();
            let known: Vec<char> = known.chars().collect();
            let row = distances(&asked, &known);
            prop_assert_eq!(row.len(), known.len() + 1);
            prop_assert!(*row.last().unwrap() <= asked.len().max(known.len()));
        }
    }
}
