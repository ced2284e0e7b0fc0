import { ActionIcon, Button } from "@mantine/core";
import { IconBell, IconUser, IconUserCircle } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { Link, useLocation } from "react-router";
import { useSession } from "./SessionProvider";

const UserMenu = lazy(async () => ({ default: (await import("./UserMenu")).UserMenu }));
const Bell = lazy(async () => ({ default: (await import("../notices/Bell")).Bell }));

/** As large as what comes, so that nothing moves. */
const PLACEHOLDER = (
  <>
    <ActionIcon component="span" variant="subtle" color="gray" size="lg" aria-hidden>
      <IconBell size={22} />
    </ActionIcon>
    <ActionIcon component="span" variant="subtle" color="gray" size="lg" radius="xl" aria-hidden>
      <IconUserCircle size={28} />
    </ActionIcon>
  </>
);

export function AccountMenu() {
  const { user } = useSession();
  const { pathname, search } = useLocation();
  const from = pathname === "/login" || pathname === "/register" ? undefined : pathname + search;

  if (!user) {
    return (
      <>
        <Button component={Link} to="/login" state={{ from }} variant="subtle" color="gray" visibleFrom="sm">
          Sign in
        </Button>
        <ActionIcon
          component={Link}
          to="/login"
          state={{ from }}
          variant="subtle"
          color="gray"
          size="lg"
          hiddenFrom="sm"
          aria-label="Sign in"
        >
          <IconUser size={22} aria-hidden />
        </ActionIcon>
      </>
    );
  }
  return (
    <Suspense fallback={PLACEHOLDER}>
      <Bell userId={user.id} />
      <UserMenu />
    </Suspense>
  );
}
