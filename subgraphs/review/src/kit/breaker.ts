/** When a store that one can do without fails, nobody waits for it for a while. */

const FAILURES_TO_OPEN = 3;
const OPEN_FOR_MS = 2_000;

/** Closed: ask. Open: don't, except for one trial now and then. */
export class Breaker {
  #failures = 0;
  #openUntil: number | undefined;

  /** Whether to ask now. When a trial is due, one caller makes it. */
  mayAsk(now: number): boolean {
    if (this.#openUntil === undefined) return true;
    if (now < this.#openUntil) return false;
    this.#openUntil = now + OPEN_FOR_MS;
    return true;
  }

  /** An answer came; true if it had been open. */
  succeeded(): boolean {
    const wasOpen = this.#openUntil !== undefined;
    this.#failures = 0;
    this.#openUntil = undefined;
    return wasOpen;
  }

  /** None came; true if this opened it. */
  failed(now: number): boolean {
    this.#failures += 1;
    if (this.#failures < FAILURES_TO_OPEN) return false;
    const opens = this.#openUntil === undefined;
    this.#openUntil = now + OPEN_FOR_MS;
    return opens;
  }
}
