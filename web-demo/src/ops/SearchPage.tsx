// All orders, and the search in them.
import { useQuery } from "@apollo/client/react";
import { Anchor, Card, Group, Select, Skeleton, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
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
import { statusWords } from "../orders/words";
import { FindOrdersDocument, type OrderFilter, type OrderStatus } from "./documents";
import classes from "./Ops.module.css";
import { EMPTY_SEARCH, readSearch } from "./returns";

const PAGE = 25;

function Found({ filter }: { filter: OrderFilter }) {
  const variables = { first: PAGE, after: null, filter };
  const more = useNextPage(FindOrdersDocument, variables);
  const { data, error, loading, refetch } = useQuery(FindOrdersDocument, {
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
      <Empty icon={<IconSearch size={36} />} title="No such order">
        An e-mail address finds nothing here: look by the buyer's id.
      </Empty>
    );
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label="Orders found">
        <Table miw={640} verticalSpacing={8}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Order</Table.Th>
              <Table.Th>Buyer</Table.Th>
              <Table.Th>Status</Table.Th>
              <Table.Th ta="right">Amount</Table.Th>
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
                  <Text size="sm">{order.customer?.email ?? "Can't be shown right now"}</Text>
                </Table.Td>
                <Table.Td>
                  <StatusBadge status={order.status} size="md" />
                </Table.Td>
                <Table.Td ta="right" className={classes.number ?? ""}>
                  {formatMoney(order.total)}
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

export function SearchPage() {
  usePageTitle("Orders, control room");
  const [form, setForm] = useState(EMPTY_SEARCH);
  const [asked] = useDebouncedValue(form, 250);
  const filter = readSearch(asked);
  return (
    <Card withBorder radius="lg" padding="md">
      <Group mb="sm" align="flex-end" component="search">
        <TextInput
          label="Find"
          description="Number, id, buyer's id, or what was bought"
          type="search"
          maxLength={200}
          flex={1}
          miw={220}
          value={form.text}
          onChange={(event) => setForm({ ...form, text: event.currentTarget.value })}
        />
        <Select
          label="Status"
          placeholder="any"
          clearable
          w={190}
          data={Object.entries(statusWords).map(([value, { label }]) => ({ value, label }))}
          value={form.status || null}
          onChange={(status) => setForm({ ...form, status: (status ?? "") as OrderStatus | "" })}
        />
        <TextInput
          label="From"
          type="date"
          value={form.from}
          onChange={(event) => setForm({ ...form, from: event.currentTarget.value })}
        />
        <TextInput
          label="To"
          type="date"
          value={form.to}
          onChange={(event) => setForm({ ...form, to: event.currentTarget.value })}
        />
      </Group>
      <Found key={JSON.stringify(filter)} filter={filter} />
    </Card>
  );
}
