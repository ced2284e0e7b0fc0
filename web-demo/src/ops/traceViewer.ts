// Where a trace can be looked at: the page's server says so in /config.json, and where it doesn't, nowhere.
import { useEffect, useState } from "react";

const HOLE = "{traceId}";

/** The viewer's address, if it is one that a link may lead to. */
export function viewerOf(config: unknown): string | null {
  const viewer = (config as { traceViewer?: unknown } | null)?.traceViewer;
  return typeof viewer === "string" && /^https?:\/\//.test(viewer) && viewer.includes(HOLE) ? viewer : null;
}

export function traceLink(viewer: string, traceId: string): string {
  return viewer.replace(HOLE, encodeURIComponent(traceId));
}

let asked: Promise<string | null> | undefined;

async function ask(): Promise<string | null> {
  try {
    return viewerOf(await (await fetch("/config.json")).json());
  } catch {
    return null;
  }
}

/** `null` while it is not known, and where there is none. */
export function useTraceViewer(): string | null {
  const [viewer, setViewer] = useState<string | null>(null);
  useEffect(() => {
    asked ??= ask();
    void asked.then(setViewer);
  }, []);
  return viewer;
}
