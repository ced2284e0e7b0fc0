// The shop is often done before the page has drawn itself. Right after ordering, the steps are shown one after another,
// so that they can be followed with the eyes; their times stay the true ones.
import { useEffect, useState } from "react";

const BEAT_MS = 260;

export function usePaced<T>(items: readonly T[], paced: boolean): readonly T[] {
  const [count, setCount] = useState(1);
  const behind = paced && count < items.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each step shown starts the next beat
  useEffect(() => {
    if (!behind) return;
    const timer = setTimeout(() => setCount((now) => now + 1), BEAT_MS);
    return () => clearTimeout(timer);
  }, [behind, count]);
  return behind ? items.slice(0, count) : items;
}
