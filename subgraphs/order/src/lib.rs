//! Orders and the saga that carries them.
