// The bell: how many notifications were not read, and the way to them. A chunk of its own, since most visits begin
// without an account.
import { ActionIcon, Indicator, VisuallyHidden } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { Link } from "react-router";
import { useNotices, useUnread } from "./useNotices";

export function Bell({ userId }: { userId: string }) {
  useNotices(userId);
  const unread = useUnread();
  const words = unread === 0 ? "Notifications" : `Notifications, ${unread} unread`;
  return (
    <>
      <Indicator
        label={unread > 99 ? "99+" : unread}
        size={18}
        disabled={unread === 0}
        color="orange"
        offset={5}
        zIndex={1}
      >
        <ActionIcon
          component={Link}
          to="/notifications"
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={words}
        >
          <IconBell size={22} aria-hidden />
        </ActionIcon>
      </Indicator>
      <VisuallyHidden role="status">{unread === 0 ? "" : words}</VisuallyHidden>
    </>
  );
}
