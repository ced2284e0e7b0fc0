// Web storage that may be full or forbidden: then the page works on and forgets at the next reload.

function guarded(pick: () => Storage) {
  return {
    read(key: string): string | null {
      try {
        return pick().getItem(key);
      } catch {
        return null;
      }
    },
    write(key: string, value: string | null): void {
      try {
        if (value === null) pick().removeItem(key);
        else pick().setItem(key, value);
      } catch {
        // Nothing to do: see above.
      }
    },
  };
}

/** Lives until it is removed; shared by all tabs. */
export const lasting = guarded(() => localStorage);
/** Lives as long as the tab. */
export const perTab = guarded(() => sessionStorage);
