//! What the programs of a stage say of their tests: how many there are, and of those that failed all that was said.

/// What one stage found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
}

/// Enough for what one or two tests say; who needs more has the whole output.
const KEPT_LINES: usize = 100;

/// The output of a stage, as far as it is kept.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) counts: Counts,
    /// What was said of tests that failed, said again at the end of a run, where everybody looks.
    pub(super) failures: Vec<String>,
    in_failure: bool,
}

impl Told {
    /// Takes in a line of `cargo test`, of vitest, or of Playwright.
    pub(super) fn hear(&mut self, line: &str) {
        if is_summary(line) {
            self.in_failure = false;
        } else if begins_failure(line) {
            self.in_failure = true;
        }
        if self.in_failure && self.failures.len() < KEPT_LINES {
            self.failures.push(line.trim_end().to_owned());
        }
        self.counts.add(line);
    }
}

/// `failures:` of cargo, ` FAIL  tests/a.test.ts > ...` of vitest, `  1) [page] › ...` of Playwright.
fn begins_failure(line: &str) -> bool {
    let is_numbered = line.strip_prefix("  ").is_some_and(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && rest[digits..].starts_with(") ")
    });
    line == "failures:" || line.starts_with(" FAIL ") || is_numbered
}

/// The line that ends what is said of failures: cargo's, vitest's or Playwright's count.
fn is_summary(line: &str) -> bool {
    line.starts_with("test result: ") || line.starts_with(" Test Files ") || is_playwrights(line)
}

/// `  3 passed (1.2m)` and `  1 failed`, and nothing that only begins so.
fn is_playwrights(line: &str) -> bool {
    let is_counted = |(number, rest): (&str, &str)| {
        let (word, time) = rest.split_once(' ').unwrap_or((rest, "("));
        number.parse::<u64>().is_ok()
            && ["passed", "failed", "skipped"].contains(&word)
            && time.starts_with('(')
    };
    line.starts_with("  ") && line.trim().split_once(' ').is_some_and(is_counted)
}

impl Counts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...` of cargo's, `Tests  3 passed (3)` of
    /// vitest's, or `  3 passed (1.2m)` of Playwright's.
    fn add(&mut self, line: &str) {
        let trimmed = line.trim();
        let rest = match (line.strip_prefix("test result: "), trimmed.strip_prefix("Tests ")) {
            (Some(rest), _) | (None, Some(rest)) => rest,
            (None, None) if is_playwrights(line) => trimmed,
            _ => return,
        };
        let words: Vec<&str> = rest
            .split([' ', ';', '.'])
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" | "skipped" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(lines: &[&str]) -> Told {
        let mut told = Told::default();
        for line in lines {
            told.hear(line);
        }
        told
    }

    #[test]
    fn adds_up_cargos_summaries() {
        let told = hear(&[
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 5 filtered out; finished in 0.1s",
            "test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured",
            "test says::passed ... ok",
        ]);
        assert_eq!(
            told.counts,
            Counts {
                passed: 5,
                failed: 4,
                ignored: 1
            }
        );
        assert!(told.failures.is_empty());
    }

    #[test]
    fn adds_up_what_the_pages_tests_say() {
        let told = hear(&[
            " Test Files  7 passed (7)",
            "      Tests  1 failed | 38 passed (39)",
            "  20 passed (1.2m)",
            "  2 failed",
            "  1 skipped",
            "  12 failed attempts were made",
        ]);
        assert_eq!(
            told.counts,
            Counts {
                passed: 58,
                failed: 3,
                ignored: 1
            }
        );
    }

    #[test]
    fn keeps_what_is_said_of_failures_and_nothing_else() {
        let told = hear(&[
            "test a ... FAILED",
            "failures:",
            "---- a stdout ----",
            "left: 1",
            "failures:",
            "    a",
            "test result: FAILED. 0 passed; 1 failed",
            "     Running tests/b.rs",
            " FAIL  tests/b.test.ts > adds",
            "AssertionError: expected 1 to be 2",
            " Test Files  1 failed (1)",
            "  ✘   1 [page] › e2e/a.spec.ts:8:3 › shows (21.9s)",
            "  1) [page] › e2e/a.spec.ts:8:3 › shows ───",
            "    Error: expect(locator).toBeVisible() failed",
            "  1 failed",
            "    [page] › e2e/a.spec.ts:8:3 › shows ───",
            "  52 passed (9.3m)",
        ]);
        let expected = [
            "failures:",
            "---- a stdout ----",
            "left: 1",
            "failures:",
            "    a",
            " FAIL  tests/b.test.ts > adds",
            "AssertionError: expected 1 to be 2",
            "  1) [page] › e2e/a.spec.ts:8:3 › shows ───",
            "    Error: expect(locator).toBeVisible() failed",
        ];
        assert_eq!(told.failures, expected);
    }

    #[test]
    fn a_flood_is_cut() {
        let mut told = Told::default();
        told.hear("failures:");
        for _ in 0..2 * KEPT_LINES {
            told.hear("again");
        }
        assert_eq!(told.failures.len(), KEPT_LINES);
    }
}
