import { expect, test } from "vitest";
import { pauseBefore } from "../src/lib/pause";

const PAUSES = { least: 100, first: 500, longest: 3_000 };

test.each([
  [1, 0, 100],
  [1, 1, 600],
  [2, 0.5, 600],
  [3, 1, 2_100],
  [4, 1, 3_100],
  [10_000, 1, 3_100],
])("try %i with chance %d waits %i ms", (attempt, chance, ms) => {
  expect(pauseBefore(attempt, PAUSES, () => chance)).toBe(ms);
});
