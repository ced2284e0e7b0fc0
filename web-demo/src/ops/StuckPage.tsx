// Orders that a person should look at.
import { useQuery } from "@apollo/client/react";
import { Anchor, Card, Group, Skeleton, Table, Text, Title } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { Link } from "react-router";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import { formatDateTime } from "../lib/dates";
import { formatMoney } from "../lib/money";
import { StatusBadge } from "../orders/StatusBadge";
import { CancelAction, RetryAction } from "./actions";
import { StuckOrdersDocument } from "./documents";
import classes from "./Ops.module.css";
import { callName } from "./words";

const LOOK_AGAIN_MS = 5_000;

export function StuckPage() {
  usePageTitle("Stuck orders");
  const variables = { first: 50, after: null };
  const more = useNextPage(StuckOrdersDocument, variables);
  const { data, error, loading, refetch } = useQuery(StuckOrdersDocument, {
    variables,
    fetchPolicy: "network-only",
    nextFetchPolicy: "cache-first",
    pollInterval: LOOK_AGAIN_MS,
    skipPollAttempt: () => document.hidden,
  });
  const orders = data?.orders;
  if (!orders) {
    if (error && !loading) return <Problem error={error} onRetry={() => void refetch()} />;
    return <Skeleton height={220} radius="lg" aria-busy />;
  }
  if (orders.nodes.length === 0) {
    return (
      <Empty icon={<IconCircleCheck size={36} />} title="Nothing is stuck">
        Orders whose calls stay without an answer for long come here by themselves, with what went wrong and
        what to do.
      </Empty>
    );
  }
  return (
    <Card withBorder radius="lg" padding="md">
      <Title order={2} size="h6" mb="xs">
        Waiting for a person
      </Title>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label="Stuck orders">
        <Table miw={720} verticalSpacing={8}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Order</Table.Th>
              <Table.Th>Status</Table.Th>
              <Table.Th>Waits for</Table.Th>
              <Table.Th ta="right">Amount</Table.Th>
              <Table.Th>Do</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {orders.nodes.map((order) => (
              <Table.Tr key={order.id}>
                <Table.Td>
                  <Anchor component={Link} to={`/ops/orders/${order.id}`} size="sm" fw={600}>
                    {order.number}
                  </Anchor>
                  <Text size="xs" c="dimmed">
                    {formatDateTime(order.placedAt)}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <StatusBadge status={order.status} size="md" />
                </Table.Td>
                <Table.Td maw={320}>
                  <Text size="sm">
                    {order.saga ? `${callName(order.saga.step)}, attempt ${order.saga.attempt}` : "unknown"}
                  </Text>
                  {order.saga?.lastError && (
                    <Text size="xs" c="dimmed" lineClamp={2}>
                      {order.saga.lastError}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td ta="right" className={classes.number ?? ""}>
                  {formatMoney(order.total)}
                </Table.Td>
                <Table.Td>
                  <Group gap="xs" wrap="nowrap">
                    <RetryAction order={order} onDone={() => void refetch()} />
                    {!order.isFinal && <CancelAction order={order} onDone={() => void refetch()} />}
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      <ShowMore more={more} page={orders.pageInfo} />
    </Card>
  );
}
