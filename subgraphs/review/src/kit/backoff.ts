/** How long to wait before the next attempt, and waiting that a shutdown ends. */

/** Attempt `n` waits a random time up to `base * 2^n`, never beyond `cap`; in milliseconds. */
export interface Backoff {
  readonly base: number;
  readonly cap: number;
}

/** The wait after failed attempt number `attempt`, counted from 0. */
export function delay(backoff: Backoff, attempt: number): number {
  return Math.random() * Math.min(backoff.cap, backoff.base * 2 ** Math.min(attempt, 31));
}

/** Waits, but not beyond `stop`; says whether the whole time passed. */
export function pause(ms: number, stop: AbortSignal): Promise<boolean> {
  if (stop.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const done = (passed: boolean) => {
      clearTimeout(timer);
      stop.removeEventListener("abort", stopped);
      resolve(passed);
    };
    const stopped = () => done(false);
    const timer = setTimeout(() => done(true), ms);
    stop.addEventListener("abort", stopped);
  });
}
