/** Of the operations that only read, one in so many is traced; those that change something always are. */
const READS_PER_TRACE = 20;

function hex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A W3C trace context for one operation of the page, which is the root of its trace. */
export function newTraceparent(reads: boolean, chance: () => number = Math.random): string {
  const traced = !reads || chance() * READS_PER_TRACE < 1;
  return `00-${hex(16)}-${hex(8)}-${traced ? "01" : "00"}`;
}
