/** The environment, read once at start: every fault is collected, so that one attempt names them all. */

import { readFileSync } from "node:fs";

/** A value that must not show in logs, errors or traces. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one call that needs it. */
  expose(): string {
    return this.#value;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }
}

/** Everything that is wrong with the environment. Names variables, never their values. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`bad configuration: ${faults.join("; ")}`);
    this.faults = faults;
  }
}

/** An address to listen at. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Turns text into a value, or into nothing when it isn't one. */
export type Parse<T> = (text: string) => T | undefined;

export const text: Parse<string> = (value) => value;

export const address: Parse<Address> = (value) => {
  const split = value.lastIndexOf(":");
  const host = value.slice(0, split).replace(/^\[|\]$/g, "");
  const port = value.slice(split + 1);
  if (split < 1 || !/^\d{1,5}$/.test(port) || Number(port) > 65535) return undefined;
  return /^[0-9a-fA-F.:]+$/.test(host) ? { host, port: Number(port) } : undefined;
};

export const url: Parse<URL> = (value) => (URL.canParse(value) ? new URL(value) : undefined);

/** Reads variables and remembers what was wrong with them. */
export class Env {
  readonly #variables: Readonly<Record<string, string | undefined>>;
  readonly #faults: string[] = [];

  constructor(variables: Readonly<Record<string, string | undefined>>) {
    this.#variables = variables;
  }

  /** The variable, or a fault when it is missing, empty or unreadable. */
  required<T>(name: string, kind: string, parse: Parse<T>): T | undefined {
    const value = this.#lookup(name);
    if (value === undefined) {
      this.fault(`${name} is missing`);
      return undefined;
    }
    return this.#parse(name, kind, value, parse);
  }

  /** The variable, or `otherwise` when it is missing or empty; unreadable is a fault. */
  optional<T>(name: string, kind: string, parse: Parse<T>, otherwise: T): T | undefined {
    const value = this.#lookup(name);
    return value === undefined ? otherwise : this.#parse(name, kind, value, parse);
  }

  /** A secret from `NAME`, or from the file that `NAME_FILE` names; missing is a fault. */
  secret(name: string): Secret | undefined {
    const value = this.#lookup(name);
    const path = this.#lookup(`${name}_FILE`);
    if (value !== undefined && path !== undefined) {
      this.fault(`${name} and ${name}_FILE are both set`);
      return undefined;
    }
    if (value !== undefined) return new Secret(value);
    if (path !== undefined) return this.#secretFile(`${name}_FILE`, path);
    this.fault(`${name} or ${name}_FILE is missing`);
    return undefined;
  }

  /** Records a fault that only the caller can see. */
  fault(sentence: string): void {
    this.#faults.push(sentence);
  }

  /** Throws all faults met so far. */
  finish(): void {
    if (this.#faults.length > 0) throw new ConfigError([...this.#faults]);
  }

  #lookup(name: string): string | undefined {
    const value = this.#variables[name];
    return value === undefined || value.trim() === "" ? undefined : value;
  }

  #parse<T>(name: string, kind: string, value: string, parse: Parse<T>): T | undefined {
    const parsed = parse(value.trim());
    // The value stays out: it may be a secret in the wrong place.
    if (parsed === undefined) this.fault(`${name} is not a valid ${kind}`);
    return parsed;
  }

  #secretFile(name: string, path: string): Secret | undefined {
    try {
      const content = readFileSync(path, "utf8");
      if (content.trim() !== "") return new Secret(content.replace(/[\r\n]+$/, ""));
      this.fault(`${name} names an empty file`);
    } catch (error) {
      this.fault(`${name} can't be read: ${(error as NodeJS.ErrnoException).code ?? "unknown"}`);
    }
    return undefined;
  }
}
