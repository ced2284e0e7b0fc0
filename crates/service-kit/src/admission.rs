//! Which requests are let in: no more than can be answered while somebody still waits for the answer.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// So many requests may be inside while the store has nothing free for them: four for each of a pool's connections.
const ROOM: usize = 64;

/// The door of a process; cheap to clone.
///
/// A queue in which one waits until one's patience ends serves nobody: each is given up as its turn comes. Refusing
/// at the door keeps the wait of those inside short, whatever the load.
#[derive(Clone, Default)]
pub struct Admission(Arc<State>);

#[derive(Default)]
struct State {
    behind: AtomicBool,
    inside: AtomicUsize,
    busy: OnceLock<Box<dyn Fn() -> bool + Send + Sync>>,
}

/// A request that was let in, for as long as something is done for it.
#[derive(Debug)]
pub struct Inside(Admission);

impl Admission {
    /// Lets a request in; none while the process is behind, or when [`ROOM`] are inside and the store is busy.
    pub fn enter(&self) -> Option<Inside> {
        if self.is_behind() {
            return None;
        }
        let inside = self.0.inside.fetch_add(1, Ordering::Relaxed);
        // Undone by its drop if there is no room.
        let request = Inside(self.clone());
        let busy = || self.0.busy.get().is_some_and(|busy| busy());
        (inside < ROOM || !busy()).then_some(request)
    }

    /// Whether those inside wait too long as it is.
    pub fn is_behind(&self) -> bool {
        self.0.behind.load(Ordering::Relaxed)
    }

    /// Says whether those inside wait too long; the answer, whether that is news.
    pub fn set_behind(&self, behind: bool) -> bool {
        self.0.behind.swap(behind, Ordering::Relaxed) != behind
    }

    /// Says how to see that the store has nothing free. The first who says so counts.
    pub fn set_busy_when(&self, busy: impl Fn() -> bool + Send + Sync + 'static) {
        self.0.busy.get_or_init(|| Box::new(busy));
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.0.inside.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("behind", &self.is_behind())
            .field("inside", &self.0.inside)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_enters_while_the_process_is_behind() {
        let (watcher, door) = (Admission::default(), Admission::default());
        assert!(watcher.enter().is_some());
        let shared = watcher.clone();
        assert!(watcher.set_behind(true) && !watcher.set_behind(true));
        assert!(shared.enter().is_none() && door.enter().is_some());
        assert!(watcher.set_behind(false) && shared.enter().is_some());
    }

    #[test]
    fn a_busy_store_has_room_for_so_many_and_a_free_one_for_all() {
        let door = Admission::default();
        let busy = Arc::new(AtomicBool::new(false));
        let seen = busy.clone();
        door.set_busy_when(move || seen.load(Ordering::Relaxed));
        let mut inside: Vec<Inside> = (0..ROOM + 5).filter_map(|_| door.enter()).collect();
        assert_eq!(inside.len(), ROOM + 5, "they wait for something else");
        busy.store(true, Ordering::Relaxed);
        assert!(door.enter().is_none());
        inside.truncate(ROOM);
        assert!(
            door.enter().is_none(),
            "who is refused takes no room, and makes none"
        );
        inside.truncate(ROOM - 1);
        let last = door.enter();
        assert!(last.is_some() && door.enter().is_none());
    }
}
