import { ActionIcon, Avatar, Button, Menu, Text } from "@mantine/core";
import { IconGauge, IconLogout, IconPackage, IconUser } from "@tabler/icons-react";
import { Link, useLocation, useNavigate } from "react-router";
import { useSession } from "./SessionProvider";

export function AccountMenu() {
  const { user, logout } = useSession();
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
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
    <Menu position="bottom-end" width={220} withinPortal>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          radius="xl"
          aria-label={`Account of ${user.displayName}`}
        >
          <Avatar size={28} color="sea" variant="filled" aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="bright">
            {user.displayName}
          </Text>
          <Text size="xs" truncate>
            {user.email}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<IconPackage size={16} aria-hidden />} component={Link} to="/orders">
          Your orders
        </Menu.Item>
        <Menu.Item leftSection={<IconUser size={16} aria-hidden />} component={Link} to="/account">
          Your account
        </Menu.Item>
        {user.roles.some((role) => role !== "CUSTOMER") && (
          <Menu.Item leftSection={<IconGauge size={16} aria-hidden />} component={Link} to="/ops">
            Control room
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<IconLogout size={16} aria-hidden />}
          onClick={async () => {
            await logout();
            await navigate("/");
          }}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
