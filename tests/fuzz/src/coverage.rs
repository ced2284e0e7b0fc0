//! Which code an input reached, as the compiler's counters tell it. Without the feature there are none.

/// Finds out whether an input reached anything that none before it did.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    /// For each counter the magnitudes it has shown, a bit each.
    seen: Vec<u8>,
}

impl Coverage {
    /// Before an input.
    pub(crate) fn reset() {
        counters::each(|counters| counters.fill(0));
    }

    /// After it: whether it was new.
    pub(crate) fn is_new(&mut self) -> bool {
        let (mut new, mut at) = (false, 0);
        counters::each(|counters| {
            if self.seen.len() < at + counters.len() {
                self.seen.resize(at + counters.len(), 0);
            }
            for (count, seen) in counters.iter().zip(&mut self.seen[at..]) {
                let bit = magnitude(*count);
                new |= *seen & bit != bit;
                *seen |= bit;
            }
            at += counters.len();
        });
        new
    }
}

/// Once, a few times and many times are different things; 17 and 18 times are not.
const fn magnitude(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        _ => 128,
    }
}

#[cfg(not(feature = "coverage"))]
mod counters {
    pub(super) fn each(_: impl FnMut(&mut [u8])) {}
}

#[cfg(feature = "coverage")]
#[expect(
    unsafe_code,
    reason = "the compiler hands its counters over as two addresses, by a function of a fixed name"
)]
mod counters {
    use std::sync::{Mutex, PoisonError};

    static MODULES: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

    /// Called for each part of the program before `main`, by code that the compiler adds.
    // SAFETY: the name and the shape are those of LLVM's SanitizerCoverage, and nothing else defines it.
    #[unsafe(no_mangle)]
    extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
        let (start, stop) = (start as usize, stop as usize);
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        if start < stop && !modules.contains(&(start, stop)) {
            modules.push((start, stop));
        }
    }

    pub(super) fn each(mut look: impl FnMut(&mut [u8])) {
        let modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (start, stop) in modules {
            // SAFETY: the compiler gave this range, which lives as long as the program; only the thread that runs the
            // inputs counts while nobody looks.
            look(unsafe { std::slice::from_raw_parts_mut(start as *mut u8, stop - start) });
        }
    }
}
