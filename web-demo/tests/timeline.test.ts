import { describe, expect, it } from "vitest";
import type { OrderEventPartsFragment, OrderStatePartsFragment, OrderStep } from "../src/gql/documents";
import { EMPTY, fold, hasGap, resumePoint, type Timeline } from "../src/orders/timeline";

const event = (sequence: number, step: OrderStep = "CREATED"): OrderEventPartsFragment => ({
  sequence,
  step,
  status: "PENDING",
  message: "",
  at: `2026-01-01T00:00:0${sequence}Z`,
});

const order = (version: number): OrderStatePartsFragment => ({
  id: "ord_1",
  number: "M-1",
  status: "PENDING",
  version,
  isFinal: false,
  cancelReason: null,
});

const progress = (state: Timeline, sequence: number) =>
  fold(state, { type: "progress", event: event(sequence), order: order(sequence) });

describe("an order's timeline", () => {
  it("keeps each step once and in order, however it arrives", () => {
    let state = fold(EMPTY, { type: "loaded", events: [event(1), event(2)], order: order(2) });
    for (const sequence of [4, 2, 3, 3, 1]) state = progress(state, sequence);
    expect(state.events.map((one) => one.sequence)).toEqual([1, 2, 3, 4]);
  });

  it("never goes back to an older state of the order", () => {
    let state = progress(EMPTY, 5);
    state = fold(state, { type: "loaded", events: [event(1)], order: order(1) });
    expect(state.order?.version).toBe(5);
  });

  it("resumes after the last step before a gap", () => {
    expect(resumePoint([])).toBe(0);
    expect(resumePoint([event(1), event(2), event(4)])).toBe(2);
    expect(hasGap([event(1), event(2), event(4)])).toBe(true);
    expect(hasGap([event(1), event(2), event(3)])).toBe(false);
    expect(hasGap([event(2)])).toBe(true);
  });

  it("says that it was cut, counts it once however many attempts, and from where it resumed", () => {
    let state = fold(EMPTY, { type: "loaded", events: [event(1), event(2)], order: order(2) });
    state = fold(state, { type: "connected" });
    expect(state.link).toEqual({ kind: "live", resumedAfter: null });
    for (const attempt of [1, 2, 3]) {
      state = fold(state, { type: "cut", attempt });
      state = fold(state, { type: "connecting" });
    }
    expect(state.link).toEqual({ kind: "cut", attempt: 3 });
    expect(state.cuts).toBe(1);
    state = fold(state, { type: "connected" });
    expect(state.link).toEqual({ kind: "live", resumedAfter: 2 });
    expect(progress(state, 3).link).toEqual({ kind: "live", resumedAfter: 2 });
  });

  it("ends", () => {
    const state = fold(progress(EMPTY, 1), { type: "complete" });
    expect(state.link.kind).toBe("complete");
  });
});
