// The overview: figures of the last ten minutes, and every order as it moves.
import { Anchor, Button, Card, Group, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { memo, useState } from "react";
import { Link } from "react-router";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import { formatSpan } from "../lib/dates";
import { formatMoney, formatRoundMoney } from "../lib/money";
import { StatusBadge } from "../orders/StatusBadge";
import { stepWords } from "../orders/words";
import { Chart } from "./Chart";
import { Bars, DARK_SEA, Legend, ORANGE, SEA, Tile, whole } from "./figures";
import { BUCKET_MS, BUCKETS, type Figures, percentile, type Row, UNITS } from "./ledger";
import classes from "./Ops.module.css";
import { useFeed } from "./useFeed";
import { reasonWords } from "./words";

const SHOWN = 25;
const SPAN = formatSpan(BUCKET_MS * BUCKETS);
const PER_MINUTE = 60_000 / BUCKET_MS;

function span(ms: number | null): string {
  return ms === null ? "–" : formatSpan(ms);
}

function Tiles({ figures }: { figures: Figures }) {
  const refused = [...figures.refused.values()].reduce((sum, count) => sum + count, 0);
  const [first, ...others] = figures.revenue;
  return (
    <div className={classes.tiles}>
      <Tile
        label="Orders per minute"
        value={whole.format(figures.placedLastMinute)}
        hint="in the last minute"
      />
      <Tile label="Placed" value={whole.format(figures.placed)} hint={`in the last ${SPAN}`} />
      <Tile
        label="Paid"
        value={whole.format(figures.paid)}
        hint={`${whole.format(figures.open)} on their way`}
      />
      <Tile
        label="Not sold"
        value={whole.format(refused)}
        hint={`refused or cancelled; ${whole.format(figures.refunded)} refunded`}
      />
      <Tile
        label="Revenue"
        value={first ? formatMoney(first) : "–"}
        hint={others.length > 0 ? others.map((money) => formatMoney(money)).join(", ") : "paid orders"}
      />
      <Tile label="Placed to paid" value={span(figures.p50)} hint={`p50; p99 is ${span(figures.p99)}`} />
    </div>
  );
}

function Charts({ figures }: { figures: Figures }) {
  const { buckets } = figures;
  const rate = (pick: (bucket: Figures["buckets"][number]) => number) =>
    buckets.map((bucket) => pick(bucket) * PER_MINUTE);
  const share = (part: number) =>
    buckets.map((bucket) =>
      percentile(
        [...bucket.latencies].sort((a, b) => a - b),
        part,
      ),
    );
  const currency = figures.revenue[0]?.currencyCode;
  const takings = buckets.map((bucket) =>
    currency ? (Number(bucket.revenue.get(currency) ?? 0n) / UNITS) * PER_MINUTE : 0,
  );
  const reasons = [...figures.refused].sort((a, b) => b[1] - a[1]);
  const most = reasons[0]?.[1] ?? 1;
  return (
    <div className={classes.charts}>
      <Card withBorder radius="lg" padding="md">
        <Group justify="space-between" mb="xs">
          <Title order={2} size="h6">
            Orders per minute
          </Title>
          <Legend
            entries={[
              [SEA, "placed"],
              [DARK_SEA, "paid"],
              [ORANGE, "refused"],
            ]}
          />
        </Group>
        <Chart
          label={`Orders per minute over ${SPAN}: ${figures.placed} placed, ${figures.paid} paid`}
          bars={[{ color: SEA, values: rate((bucket) => bucket.placed) }]}
          lines={[
            { color: DARK_SEA, values: rate((bucket) => bucket.paid) },
            { color: ORANGE, values: rate((bucket) => bucket.refused) },
          ]}
          format={(value) => `${whole.format(value)} a minute`}
          start={`${SPAN} ago`}
          end="now"
        />
      </Card>
      <Card withBorder radius="lg" padding="md">
        <Group justify="space-between" mb="xs">
          <Title order={2} size="h6">
            From placed to paid
          </Title>
          <Legend
            entries={[
              [DARK_SEA, "p50"],
              [ORANGE, "p99"],
            ]}
          />
        </Group>
        <Chart
          label={`Time from placed to paid over ${SPAN}: half of them within ${span(figures.p50)}, 99 of 100 within ${span(figures.p99)}`}
          lines={[
            { color: DARK_SEA, values: share(0.5) },
            { color: ORANGE, values: share(0.99) },
          ]}
          format={formatSpan}
          start={`${SPAN} ago`}
          end="now"
        />
      </Card>
      <Card withBorder radius="lg" padding="md">
        <Title order={2} size="h6" mb="xs">
          Revenue per minute
        </Title>
        <Chart
          label={`Revenue per minute over ${SPAN}: ${figures.revenue.map((money) => formatMoney(money)).join(", ") || "none"} in all`}
          bars={[{ color: SEA, values: takings }]}
          format={(value) => (currency ? `${formatRoundMoney(value, currency)} a minute` : "–")}
          start={`${SPAN} ago`}
          end="now"
        />
      </Card>
      <Card withBorder radius="lg" padding="md">
        <Title order={2} size="h6" mb="xs">
          Refused, by reason
        </Title>
        {reasons.length === 0 ? (
          <Text size="sm" c="dimmed">
            None in the last {SPAN}.
          </Text>
        ) : (
          <Bars
            bars={reasons.map(([reason, count]) => ({
              name: reasonWords[reason],
              value: whole.format(count),
              share: count / most,
            }))}
          />
        )}
      </Card>
    </div>
  );
}

const FeedRow = memo(function FeedRow({ row, now }: { row: Row; now: string }) {
  return (
    <Table.Tr data-order={row.number}>
      <Table.Td>
        <Anchor
          component={Link}
          to={`/ops/orders/${row.id}`}
          size="sm"
          fw={600}
          className={classes.number ?? ""}
        >
          {row.number}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <StatusBadge status={row.status} size="md" />
      </Table.Td>
      <Table.Td>
        <Text size="sm" truncate>
          {stepWords[row.step].title}
        </Text>
      </Table.Td>
      <Table.Td ta="right" className={classes.number ?? ""}>
        {formatMoney(row.total)}
      </Table.Td>
      <Table.Td ta="right">
        <Text size="sm" c="dimmed" className={classes.number ?? ""}>
          {now}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
});

function LiveList({ rows, now }: { rows: readonly Row[]; now: number }) {
  const [held, setHeld] = useState<{ rows: readonly Row[]; now: number } | null>(null);
  const shown = held ?? { rows, now };
  return (
    <Card withBorder radius="lg" padding="md">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h6">
          Orders, the last to move first
        </Title>
        <Button
          size="xs"
          variant="default"
          leftSection={
            held ? <IconPlayerPlay size={14} aria-hidden /> : <IconPlayerPause size={14} aria-hidden />
          }
          onClick={() => setHeld(held ? null : { rows, now })}
        >
          {held ? "Go on" : "Hold the list"}
        </Button>
      </Group>
      {shown.rows.length === 0 ? (
        <Text size="sm" c="dimmed" py="lg" ta="center">
          No order yet. Buy something in the shop, or run <code>cargo xtask demo</code>: it shows here at
          once.
        </Text>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className={classes.scroll} tabIndex={0} aria-label="Orders, the last to move first">
          <Table className={classes.feed ?? ""} verticalSpacing={6} highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th w={110}>Order</Table.Th>
                <Table.Th w={180}>Status</Table.Th>
                <Table.Th>Last step</Table.Th>
                <Table.Th w={110} ta="right">
                  Amount
                </Table.Th>
                <Table.Th w={90} ta="right">
                  Moved
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.rows.slice(0, SHOWN).map((row) => (
                <FeedRow
                  key={row.id}
                  row={row}
                  now={formatSpan(Math.floor((shown.now - row.changedAt) / 1000) * 1000)}
                />
              ))}
            </Table.Tbody>
          </Table>
        </section>
      )}
    </Card>
  );
}

export function OverviewPage() {
  usePageTitle("Control room");
  const { figures, loaded, error } = useFeed();
  if (!loaded && !error) {
    return (
      <Stack aria-busy>
        <Skeleton height={110} radius="lg" />
        <Skeleton height={190} radius="lg" />
        <Skeleton height={320} radius="lg" />
      </Stack>
    );
  }
  return (
    <Stack gap="md">
      {error !== null && <Problem error={error} />}
      <Tiles figures={figures} />
      <Charts figures={figures} />
      <LiveList rows={figures.rows} now={figures.now} />
      <Text
        size="xs"
        c="dimmed"
        data-steps={figures.steps}
        data-healed={figures.healed}
        data-placed={figures.placed}
        data-paid={figures.paid}
        data-orders={figures.orders}
      >
        {whole.format(figures.steps)} steps heard since you opened this page.{" "}
        {figures.healed === 0
          ? "The feed left none out."
          : `${whole.format(figures.healed)} ${figures.healed === 1 ? "order was" : "orders were"} caught up on after a cut: none is missing.`}
      </Text>
    </Stack>
  );
}
