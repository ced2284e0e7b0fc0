//! Crash points and seeded bugs stay out of every ordinary build: nothing turns the feature `faults` on but a service's
//! own feature of that name, which is never a default.

use super::tree::Tree;

const FEATURE: &str = "faults";

pub(super) fn faults_are_asked_for(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for file in tree.files.iter().filter(|file| file.name() == "Cargo.toml") {
        for (number, line) in (1..).zip(file.text.lines()) {
            let defined = line.starts_with("faults = [");
            if !defined && turns_on(line) {
                let path = file.path.display();
                violations.push(format!(
                    "{path}:{number}: the feature {FEATURE} is on without being asked for: {line}"
                ));
            }
        }
    }
    violations
}

/// A list of features, `default` or a dependency's, that names it.
fn turns_on(line: &str) -> bool {
    let Some((_, list)) = line.split_once('[') else {
        return false;
    };
    let mut features = list.split('"').skip(1).step_by(2);
    !line.trim_start().starts_with('#')
        && !line.contains("members")
        && features.any(|feature| feature.rsplit('/').next() == Some(FEATURE))
}
