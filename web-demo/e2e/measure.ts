// What a page does to whoever looks at it, measured in the page: how long until something is painted, how much moves
// by itself, how long a picture stands still.
import type { CDPSession, Page } from "@playwright/test";

export interface Paints {
  /** Milliseconds from the request for the page to the first frame with any content. */
  firstPaint: number;
  /** To the first frame with what was waited for. */
  painted: number;
  /** To the largest piece of content. */
  largest: number;
  /** Cumulative layout shift, as browsers count it: 0 is still. */
  shift: number;
  /** What moved, for whoever has to mend it. */
  moved: string[];
}

interface Watch {
  painted: number | null;
  largest: number;
  shift: number;
  moved: string[];
  gaps: number[];
  tasks: number[];
  from: number;
}

interface Shift extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
  sources: { node: Node | null }[];
}

declare global {
  interface Window {
    watch: Watch;
  }
}

/** Before anything of the page runs: watches for `selector` to be painted, and for whatever moves or stands still. */
export async function watch(page: Page, selector: string): Promise<void> {
  await page.addInitScript((wanted) => {
    const seen: Watch = { painted: null, largest: 0, shift: 0, moved: [], gaps: [], tasks: [], from: 0 };
    window.watch = seen;
    new PerformanceObserver((list) => {
      seen.largest = list.getEntries().at(-1)?.startTime ?? seen.largest;
    }).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Shift[]) {
        if (entry.hadRecentInput) continue;
        seen.shift += entry.value;
        for (const { node } of entry.sources) {
          const element = node instanceof Element ? node : node?.parentElement;
          seen.moved.push(element?.outerHTML.slice(0, 120) ?? "gone");
        }
      }
    }).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        if (startTime >= seen.from) seen.tasks.push(Math.round(duration));
      }
    }).observe({ type: "longtask", buffered: true });
    let last = performance.now();
    const frame = (now: number) => {
      if (now - last > 100 && last >= seen.from && !document.hidden) seen.gaps.push(Math.round(now - last));
      last = now;
      if (seen.painted === null && document.querySelector(wanted)) {
        // The frame that has it is the one after this.
        seen.painted = 0;
        requestAnimationFrame(() => {
          seen.painted = performance.now();
        });
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }, selector);
}

/** After everything has come: what was watched. */
export async function paints(page: Page): Promise<Paints> {
  await page.waitForFunction(() => (window.watch.painted ?? 0) > 0);
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(300);
  return page.evaluate(() => ({
    firstPaint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
    painted: window.watch.painted ?? 0,
    largest: window.watch.largest,
    shift: window.watch.shift,
    moved: window.watch.moved,
  }));
}

/** Script that was loaded for the page, as it came over the wire, in bytes. */
export async function scriptBytes(page: Page): Promise<number> {
  return page.evaluate(() =>
    (performance.getEntriesByType("resource") as PerformanceResourceTiming[])
      .filter(({ name }) => new URL(name).pathname.endsWith(".js"))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  );
}

/** A figure, in the output of the tests. */
export function tell(text: string): void {
  process.stdout.write(`    ${text}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * How many times as long as it should take everything takes, because others use the processors: 1 on a machine of one's
 * own. What is judged by the clock is judged by this too; what a page takes is otherwise what the compiler beside takes.
 */
export function contention(): number {
  const before = process.cpuUsage();
  const begun = process.hrtime.bigint();
  let spent = 0;
  while (spent < 60_000) {
    const { user, system } = process.cpuUsage(before);
    spent = user + system;
  }
  return Math.max(1, Number(process.hrtime.bigint() - begun) / 1_000 / spent);
}

const SAMPLE_MS = 500;

export interface Stillness {
  /** The most that the main thread itself worked within one sample, in milliseconds of processor time. */
  busiest: number;
  /** Longest task and longest time between two frames by the clock: with others' work on the machine in them. */
  longestTask: number;
  longestGap: number;
  tasksOver200: number;
  gapsOver200: number;
  /** Share of the time that the main thread worked. */
  load: number;
}

/**
 * Watches how smooth a page is. A frame is frozen by the page only while its main thread works; a machine that is busy
 * with something else freezes it too, which is no fault of the page. So the thread's own processor time is sampled:
 * where no sample has 200 ms of it, no task can have taken 200 ms.
 */
export class Smoothness {
  private busiest = 0;
  private worked = 0;
  private begun = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;

  private constructor(
    private readonly page: Page,
    private readonly devtools: CDPSession,
  ) {}

  static async start(page: Page): Promise<Smoothness> {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    const smoothness = new Smoothness(page, devtools);
    await page.evaluate(() => {
      window.watch.from = performance.now();
      window.watch.tasks = [];
      window.watch.gaps = [];
    });
    smoothness.begun = Date.now();
    const before = await smoothness.metric("TaskDuration");
    smoothness.sample(before, Date.now());
    return smoothness;
  }

  /** The heap after a collection, in bytes, and the nodes of all documents. */
  async memory(): Promise<{ heap: number; nodes: number; listeners: number }> {
    // Twice: what the first one ended is let go of by the second.
    await this.devtools.send("HeapProfiler.collectGarbage");
    await this.devtools.send("HeapProfiler.collectGarbage");
    const { metrics } = await this.devtools.send("Performance.getMetrics");
    const value = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
    return { heap: value("JSHeapUsedSize"), nodes: value("Nodes"), listeners: value("JSEventListeners") };
  }

  async stop(): Promise<Stillness> {
    this.over = true;
    clearTimeout(this.timer);
    const { tasks, gaps } = await this.page.evaluate(() => window.watch);
    const most = (values: number[]) => values.reduce((a, b) => Math.max(a, b), 0);
    const over = (values: number[]) => values.filter((value) => value > 200).length;
    return {
      busiest: this.busiest,
      longestTask: most(tasks),
      longestGap: most(gaps),
      tasksOver200: over(tasks),
      gapsOver200: over(gaps),
      load: this.worked / (Date.now() - this.begun),
    };
  }

  /** Collecting garbage by order stops the page: what it takes is not the page's. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.timer);
    const { tasks, gaps } = await this.page.evaluate(() => ({
      tasks: window.watch.tasks.length,
      gaps: window.watch.gaps.length,
    }));
    const done = await work();
    await this.page.evaluate(
      (before) =>
        new Promise<void>((settled) =>
          requestAnimationFrame(() =>
            setTimeout(() => {
              window.watch.tasks.length = before.tasks;
              window.watch.gaps.length = before.gaps;
              settled();
            }, 50),
          ),
        ),
      { tasks, gaps },
    );
    this.sample(await this.metric("TaskDuration"), Date.now());
    return done;
  }

  private async metric(name: string): Promise<number> {
    const { metrics } = await this.devtools.send("Performance.getMetrics");
    return (metrics.find((one) => one.name === name)?.value ?? 0) * 1_000;
  }

  private sample(before: number, at: number): void {
    if (this.over) return;
    this.timer = setTimeout(async () => {
      const now = await this.metric("TaskDuration").catch(() => before);
      const worked = now - before;
      this.worked += worked;
      // A sample that came late is of a longer time.
      const samples = Math.max(1, (Date.now() - at) / SAMPLE_MS);
      this.busiest = Math.max(this.busiest, worked / samples);
      this.sample(now, Date.now());
    }, SAMPLE_MS);
  }
}
