//! Categories form a tree; a category's identity is the slug of its path.

use contracts::CategoryId;
use serde::{Deserialize, Serialize};

use super::Fault;

const MAX_DEPTH: usize = 6;
const MAX_NAME: usize = 120;
const PATH_SEPARATOR: &str = "--";

/// A node of the category tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// Slugs of the path, joined by `--`; unique.
    pub slug: String,
    /// Name.
    pub name: String,
    /// The category above, unless it is a root.
    pub parent_id: Option<CategoryId>,
}

/// A category by the names from the root, such as `GROCERY`, `FRZN ICE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryPath {
    steps: Vec<(String, String)>,
}

impl CategoryPath {
    /// Reads a path; names differing only in case or punctuation are the same category.
    pub fn try_new(names: &[String]) -> Result<Self, Fault> {
        let refuse = |message: &str| Err(Fault::invalid(message, &["categoryPath"]));
        if names.is_empty() || names.len() > MAX_DEPTH {
            return refuse("A category path has 1 to 6 names.");
        }
        let mut steps: Vec<(String, String)> = Vec::with_capacity(names.len());
        for name in names.iter().map(|name| name.trim()) {
            let own = slugify(name);
            if own.is_empty() || name.chars().count() > MAX_NAME {
                return refuse("A category name has 1 to 120 characters, at least one a letter or digit.");
            }
            let slug = match steps.last() {
                Some((above, _)) => format!("{above}{PATH_SEPARATOR}{own}"),
                None => own,
            };
            steps.push((slug, name.to_owned()));
        }
        Ok(Self { steps })
    }

    /// `(slug, name)` from the root down.
    pub fn steps(&self) -> &[(String, String)] {
        &self.steps
    }

    /// The slug of the category itself.
    pub fn slug(&self) -> &str {
        self.steps.last().map_or("", |(slug, _)| slug)
    }

    /// The slug one level above, unless it is a root.
    pub fn parent_of(slug: &str) -> Option<&str> {
        slug.rsplit_once(PATH_SEPARATOR).map(|(above, _)| above)
    }
}

/// Lower-case letters and digits, everything else one hyphen; never two hyphens in a row.
fn slugify(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(names: &[&str]) -> Result<CategoryPath, Fault> {
        CategoryPath::try_new(&names.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_path_knows_each_step_by_its_slug() {
        let path = path(&["GROCERY", " FRZN ICE "]).unwrap();
        assert_eq!(
            path.steps(),
            [
                ("grocery".to_owned(), "GROCERY".to_owned()),
                ("grocery--frzn-ice".to_owned(), "FRZN ICE".to_owned())
            ]
        );
        assert_eq!(CategoryPath::parent_of(path.slug()), Some("grocery"));
        assert_eq!(CategoryPath::parent_of("grocery"), None);
    }

    #[test]
    fn refuses_what_names_nothing() {
        for names in [
            &[][..],
            &[""],
            &["-"],
            &["a", " "],
            &["a", "b", "c", "d", "e", "f", "g"],
        ] {
            assert!(path(names).is_err(), "{names:?}");
        }
    }

    proptest! {
        #[test]
        fn a_slug_never_looks_like_two_levels(name: String) {
            prop_assert!(!slugify(&name).contains(PATH_SEPARATOR));
        }
    }
}
