// Orders with money in them, what went back of it, and giving it back.
import { useQuery } from "@apollo/client/react";
import { Anchor, Card, Group, SegmentedControl, Skeleton, Table, Text } from "@mantine/core";
import { IconReceiptRefund } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import { formatDateTime } from "../lib/dates";
import { formatMoney } from "../lib/money";
import { StatusBadge } from "../orders/StatusBadge";
import { paymentWords, refundWords } from "../orders/words";
import { RefundAction } from "./actions";
import { type OrderStatus, OrdersByStatusDocument } from "./documents";
import classes from "./Ops.module.css";

const VIEWS: Record<string, { label: string; status: OrderStatus[] }> = {
  paid: { label: "Paid", status: ["PAID", "SHIPPED", "DELIVERED"] },
  refunded: { label: "Refunded", status: ["REFUNDED"] },
};
const REFUNDABLE: ReadonlySet<OrderStatus> = new Set(["PAID", "SHIPPED", "DELIVERED"]);
const PAGE = 25;

function Orders({ status }: { status: OrderStatus[] }) {
  const variables = { first: PAGE, after: null, status };
  const more = useNextPage(OrdersByStatusDocument, variables);
  const { data, error, loading, refetch } = useQuery(OrdersByStatusDocument, {
    variables,
    fetchPolicy: "network-only",
    nextFetchPolicy: "cache-first",
  });
  const orders = data?.orders;
  if (!orders) {
    if (error && !loading) return <Problem error={error} onRetry={() => void refetch()} />;
    return <Skeleton height={260} radius="lg" aria-busy />;
  }
  if (orders.nodes.length === 0) {
    return (
      <Empty icon={<IconReceiptRefund size={36} />} title="None yet">
        As soon as there is one, it is listed here.
      </Empty>
    );
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label="Orders and refunds">
        <Table miw={720} verticalSpacing={8}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Order</Table.Th>
              <Table.Th>Status</Table.Th>
              <Table.Th ta="right">Amount</Table.Th>
              <Table.Th>Payment</Table.Th>
              <Table.Th>Do</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {orders.nodes.map((order) => (
              <Table.Tr key={order.id} data-order={order.number}>
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
                <Table.Td ta="right" className={classes.number ?? ""}>
                  {formatMoney(order.total)}
                </Table.Td>
                <Table.Td>
                  <Text size="sm">
                    {order.payment ? paymentWords[order.payment.status] : "Can't be shown right now"}
                  </Text>
                  {order.payment?.refunds.map((refund) => (
                    <Text key={refund.id} size="xs" c="dimmed">
                      −{formatMoney(refund.amount)}, {refundWords[refund.status]}:{" "}
                      {refund.reason.replaceAll("_", " ")}
                    </Text>
                  ))}
                </Table.Td>
                <Table.Td>
                  {REFUNDABLE.has(order.status) && (
                    <RefundAction order={order} onDone={() => void refetch()} />
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      <ShowMore more={more} page={orders.pageInfo} />
    </>
  );
}

export function RefundsPage() {
  usePageTitle("Refunds");
  const [view, setView] = useState("paid");
  return (
    <Card withBorder radius="lg" padding="md">
      <Group mb="sm">
        <SegmentedControl
          aria-label="Which orders"
          value={view}
          onChange={setView}
          data={Object.entries(VIEWS).map(([value, { label }]) => ({ value, label }))}
        />
      </Group>
      <Orders key={view} status={VIEWS[view]?.status ?? []} />
    </Card>
  );
}
