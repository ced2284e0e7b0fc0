import { useQuery } from "@apollo/client/react";
import { Anchor, Button, Card, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconPackage } from "@tabler/icons-react";
import { Link, Navigate, useLocation } from "react-router";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import { OrderHistoryDocument, type OrderHistoryQuery } from "../gql/documents";
import { formatDateTime } from "../lib/dates";
import { formatMoney } from "../lib/money";
import { useSession } from "../session/SessionProvider";
import classes from "./OrdersPage.module.css";
import { StatusBadge } from "./StatusBadge";
import { cancelWords } from "./words";

const PAGE = 15;

type Order = NonNullable<NonNullable<OrderHistoryQuery["me"]>["orders"]>["nodes"][number];

function OrderRow({ order }: { order: Order }) {
  const [first, ...others] = order.lines;
  return (
    <Card component="li" withBorder radius="lg" padding="md" className={classes.row ?? ""}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Group gap="sm">
            <Anchor component={Link} to={`/orders/${order.id}`} fw={700} className={classes.link ?? ""}>
              {order.number}
            </Anchor>
            <StatusBadge status={order.status} size="md" />
          </Group>
          <Text size="sm" mt={4}>
            {first ? `${first.quantity} × ${first.title}` : ""}
            {others.length > 0 && ` and ${others.length} more`}
          </Text>
          <Text size="xs" c="dimmed">
            {formatDateTime(order.placedAt)}
            {order.cancelReason && ` · ${cancelWords[order.cancelReason].title}`}
          </Text>
        </div>
        <div className={classes.amount}>
          <Text fw={600}>{formatMoney(order.total)}</Text>
          {order.discount && (
            <Text size="xs" c="dimmed">
              {formatMoney(order.subtotal)} − {formatMoney(order.discount.amount)}
              <br />
              with {order.discount.code}
            </Text>
          )}
        </div>
      </Group>
    </Card>
  );
}

export function OrdersPage() {
  usePageTitle("Your orders");
  const { user } = useSession();
  const { pathname } = useLocation();
  const variables = { first: PAGE };
  const more = useNextPage(OrderHistoryDocument, variables);
  const { data, loading, error, refetch } = useQuery(OrderHistoryDocument, {
    variables,
    skip: !user,
    fetchPolicy: "cache-and-network",
    nextFetchPolicy: "cache-first",
  });
  if (!user) return <Navigate to="/login" replace state={{ from: pathname }} />;

  const page = data?.me?.orders;
  const orders = (page?.nodes ?? []) as Order[];

  if (!page && loading) {
    return (
      <Stack aria-busy>
        <Skeleton height={40} width={220} />
        <Skeleton height={92} radius="lg" />
        <Skeleton height={92} radius="lg" />
        <Skeleton height={92} radius="lg" />
      </Stack>
    );
  }
  if (!page && error) return <Problem error={error} onRetry={() => void refetch()} />;
  if (orders.length === 0) {
    return (
      <Empty
        icon={<IconPackage size={36} />}
        title="No orders yet"
        action={
          <Button component={Link} to="/">
            Look around
          </Button>
        }
      >
        Order something and watch it become yours, step by step.
      </Empty>
    );
  }
  return (
    <Stack gap="lg">
      <Title order={1}>Your orders</Title>
      <Stack component="ul" gap="sm" className={classes.list ?? ""}>
        {orders.map((order) => (
          <OrderRow key={order.id} order={order} />
        ))}
      </Stack>
      <ShowMore more={more} page={page?.pageInfo}>
        Show older ones
      </ShowMore>
    </Stack>
  );
}
