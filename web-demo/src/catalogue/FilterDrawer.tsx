import { Drawer } from "@mantine/core";
import type { ReactNode } from "react";

/** The facets on a phone. */
export function FilterDrawer({ children, onClose }: { children: ReactNode; onClose(): void }) {
  return (
    <Drawer
      opened
      onClose={onClose}
      title="Filter"
      position="right"
      size="sm"
      closeButtonProps={{ "aria-label": "Close the filter" }}
    >
      {children}
    </Drawer>
  );
}
