// Real baskets, bought at a steady rate by `cargo xtask replay` while a page is watched.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DATA = join(ROOT, "tests/data/complete-journey");
/** The program of a system that was started for these tests; else that of whoever runs them. */
const [PROGRAM, ...FIRST] = process.env.MERCATO_XTASK ? [process.env.MERCATO_XTASK] : ["cargo", "xtask"];

/** Baskets are bought again and again: each household that signs in costs the shop a password hash. */
const DIFFERENT = 150;
/** Beyond every number of the data: a basket that is bought again is another one. */
const NEXT_TIME = 1_000_000_000_000;

interface BasketLine {
  product_id: number;
}

export class Replay {
  private readonly folder = mkdtempSync(join(tmpdir(), "mercato-replay-"));
  private readonly baskets = join(this.folder, "baskets.ndjson");
  private readonly products = join(this.folder, "products.ndjson");
  private readonly acknowledged = join(this.folder, "acknowledged.txt");
  private process: ChildProcess | null = null;
  private said = "";

  /** `count` baskets out of the first ones, and no product but theirs. */
  constructor(
    count: number,
    private readonly perSecond: number,
  ) {
    const lines = (name: string) =>
      gunzipSync(readFileSync(join(DATA, name)))
        .toString()
        .split("\n");
    const chosen = lines("baskets.ndjson.gz")
      .slice(0, DIFFERENT)
      .map((line) => JSON.parse(line));
    const wanted = new Set(
      chosen.flatMap((basket) => basket.lines.map((line: BasketLine) => line.product_id)),
    );
    const products = lines("products.ndjson.gz").filter(
      (product) => product && wanted.has(JSON.parse(product).product_id),
    );
    const all = Array.from({ length: count }, (_, index) => {
      const basket = chosen[index % chosen.length];
      const again = Math.floor(index / chosen.length) * NEXT_TIME;
      return JSON.stringify({ ...basket, basket_id: basket.basket_id + again });
    });
    writeFileSync(this.baskets, `${all.join("\n")}\n`);
    writeFileSync(this.products, `${products.join("\n")}\n`);
  }

  /** Puts the products on the shelves. */
  async prepare(): Promise<void> {
    this.run("import", this.products);
    await this.end();
  }

  start(): void {
    const rate = String(this.perSecond);
    const tale = ["--acknowledged", this.acknowledged];
    this.run("replay", this.baskets, "--rate", rate, "--concurrency", "32", ...tale);
  }

  /** Waits until every basket has come to its end and the books were looked at. */
  async end(): Promise<string> {
    const running = this.process;
    if (!running) throw new Error("nothing runs");
    if (running.exitCode === null) await once(running, "exit");
    this.process = null;
    if (running.exitCode !== 0) throw new Error(`${PROGRAM}: ${running.exitCode}\n${this.said}`);
    return this.said;
  }

  /** The orders that the shop said it has. */
  orders(): string[] {
    return readFileSync(this.acknowledged, "utf8").split("\n").filter(Boolean);
  }

  stop(): void {
    this.process?.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private run(...args: string[]): void {
    this.said = "";
    const started = spawn(PROGRAM as string, [...FIRST, ...args], { cwd: ROOT });
    for (const stream of [started.stdout, started.stderr]) {
      stream.on("data", (text: Buffer) => {
        this.said += text.toString();
      });
    }
    this.process = started;
  }
}
