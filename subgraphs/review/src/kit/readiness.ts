/** Whether this process should get traffic, and if not, why. */

type Phase = "starting" | "serving" | "draining";

interface Entry {
  readonly required: boolean;
  fault: string | undefined;
}

/** One thing the service needs or watches; down until its first `up`. */
export interface Component {
  up(): void;
  /** It does not work, because of `reason` (shown on the ops listener; no secrets). */
  down(reason: string): void;
}

/** What `/readyz` shows. */
export interface Report {
  readonly ready: boolean;
  readonly phase: Phase;
  readonly components: Readonly<Record<string, string>>;
}

/** Ready once started, while every required component is up and no drain began. */
export class Readiness {
  #phase: Phase = "starting";
  readonly #components = new Map<string, Entry>();

  /** A component without which this process can't serve. */
  component(name: string): Component {
    return this.#register(name, true);
  }

  /** A component whose absence is shown but tolerated, such as the broker. */
  observed(name: string): Component {
    return this.#register(name, false);
  }

  serving(): void {
    if (this.#phase === "starting") this.#phase = "serving";
  }

  /** The process is going away: never ready again. */
  draining(): void {
    this.#phase = "draining";
  }

  report(): Report {
    const entries = [...this.#components].sort(([one], [other]) => one.localeCompare(other));
    const up = entries.every(([, entry]) => !entry.required || entry.fault === undefined);
    return {
      ready: this.#phase === "serving" && up,
      phase: this.#phase,
      components: Object.fromEntries(entries.map(([name, entry]) => [name, entry.fault ?? "up"])),
    };
  }

  #register(name: string, required: boolean): Component {
    const entry = this.#components.get(name) ?? { required, fault: "starting" };
    this.#components.set(name, entry);
    return {
      up: () => {
        entry.fault = undefined;
      },
      down: (reason) => {
        entry.fault = reason;
      },
    };
  }
}
