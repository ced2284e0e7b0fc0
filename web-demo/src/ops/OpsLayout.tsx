// The control room's frame: who may come in, its rooms, and the one feed all of them share.
import { ApolloProvider } from "@apollo/client/react";
import { Badge, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { IconLock, IconPlugConnectedX } from "@tabler/icons-react";
import { useState } from "react";
import { Navigate, NavLink, Outlet, useLocation } from "react-router";
import { makeClient } from "../app/client";
import { Empty } from "../components/Empty";
import { useSession } from "../session/SessionProvider";
import type { FeedLink } from "./feed";
import classes from "./Ops.module.css";
import { FeedContext, useFeed, useOwnFeed } from "./useFeed";

const ROOMS = [
  { to: "/ops", end: true, label: "Overview", admin: false },
  { to: "/ops/sales", end: false, label: "Sales", admin: false },
  { to: "/ops/orders", end: false, label: "Find orders", admin: false },
  { to: "/ops/stuck", end: false, label: "Stuck orders", admin: false },
  { to: "/ops/refunds", end: false, label: "Refunds", admin: false },
  { to: "/ops/stock", end: false, label: "Stock", admin: false },
  { to: "/ops/coupons", end: false, label: "Coupons", admin: false },
  { to: "/ops/mails", end: false, label: "Mails", admin: false },
  { to: "/ops/webhooks", end: false, label: "Webhooks", admin: true },
  { to: "/ops/plugs", end: false, label: "Pull a plug", admin: true },
];

function LinkState({ link }: { link: FeedLink }) {
  if (link.kind === "live") {
    return (
      <Badge
        color="teal"
        variant="light"
        size="lg"
        tt="none"
        leftSection={<span className={classes.pulse} />}
      >
        Live
      </Badge>
    );
  }
  if (link.kind === "connecting") {
    return (
      <Badge color="gray" variant="light" size="lg" tt="none" leftSection={<Loader size={10} color="gray" />}>
        Connecting
      </Badge>
    );
  }
  return (
    <Badge
      color="orange"
      variant="light"
      size="lg"
      tt="none"
      leftSection={<IconPlugConnectedX size={14} aria-hidden />}
    >
      Connection lost, attempt {link.attempt}
    </Badge>
  );
}

function Frame({ isAdmin }: { isAdmin: boolean }) {
  const { link } = useFeed();
  return (
    <Stack gap="lg">
      <Group justify="space-between" gap="sm" wrap="nowrap">
        <div>
          <Title order={1} size="h2">
            Control room
          </Title>
          <Text size="sm" c="dimmed">
            Every order of the shop, as it happens
          </Text>
        </div>
        <div role="status" data-feed={link.kind} className={classes.link}>
          <LinkState link={link} />
        </div>
      </Group>
      <nav aria-label="Control room" className={classes.rooms}>
        {ROOMS.filter((room) => isAdmin || !room.admin).map(({ to, end, label }) => (
          <NavLink key={to} to={to} end={end} className={classes.room ?? ""}>
            {label}
          </NavLink>
        ))}
      </nav>
      <Outlet />
    </Stack>
  );
}

function Room({ isAdmin }: { isAdmin: boolean }) {
  const feed = useOwnFeed();
  return (
    <FeedContext value={feed}>
      <Frame isAdmin={isAdmin} />
    </FeedContext>
  );
}

/** The whole graph, and a cache of what it told this member of staff alone. */
function Staff({ isAdmin }: { isAdmin: boolean }) {
  const [client] = useState(() => makeClient("/graphql/staff"));
  return (
    <ApolloProvider client={client}>
      <Room isAdmin={isAdmin} />
    </ApolloProvider>
  );
}

export function OpsLayout() {
  const { user } = useSession();
  const { pathname } = useLocation();
  if (!user) return <Navigate to="/login" replace state={{ from: pathname }} />;
  const isAdmin = user.roles.includes("ADMIN");
  if (!isAdmin && !user.roles.includes("SUPPORT")) {
    return (
      <Empty icon={<IconLock size={36} />} title="For staff only">
        You are signed in as {user.email}, who shops here. The control room is for those who run the shop.
      </Empty>
    );
  }
  return <Staff key={user.id} isAdmin={isAdmin} />;
}
