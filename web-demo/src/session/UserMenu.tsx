// The menu of whoever is signed in: a chunk of its own, since most visits begin without.
import { ActionIcon, Avatar, Menu, Text } from "@mantine/core";
import { IconGauge, IconLogout, IconPackage, IconUser } from "@tabler/icons-react";
import { Link, useNavigate } from "react-router";
import { useSession } from "./SessionProvider";

export function UserMenu() {
  const { user, logout } = useSession();
  const navigate = useNavigate();
  if (!user) return null;
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
