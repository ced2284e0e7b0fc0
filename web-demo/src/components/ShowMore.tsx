import { Button, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { Problem } from "./Problem";
import type { useNextPage } from "./useNextPage";

/** Brings the next page of a list, where there is one, and says why it could not. */
export function ShowMore({
  more,
  page,
  children = "Show more",
}: {
  more: ReturnType<typeof useNextPage>;
  page: { hasNextPage: boolean; endCursor?: string | null } | null | undefined;
  children?: ReactNode;
}) {
  const after = page?.hasNextPage && page.endCursor;
  if (!after) return null;
  const bring = () => void more.bring(after);
  return (
    <Stack align="center" mt="sm">
      {more.error !== null && <Problem error={more.error} onRetry={bring} />}
      <Button variant="subtle" loading={more.busy} onClick={bring}>
        {children}
      </Button>
    </Stack>
  );
}
