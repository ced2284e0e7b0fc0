// A report over time, from carts to money, why orders were refused, and how long they took.
import { Card, Group, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { formatMoney, formatRoundMoney } from "../lib/money";
import { Chart } from "./Chart";
import { Bars, DARK_SEA, Legend, ORANGE, SEA, whole } from "./figures";
import classes from "./Ops.module.css";
import { byCount, funnelSteps, line, pointLabel, type Report, secondsWords } from "./sales";
import { reasonWords } from "./words";

function Panel({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <Card withBorder radius="lg" padding="md" component="section" aria-label={title}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h6">
          {title}
        </Title>
        {aside}
      </Group>
      {children}
    </Card>
  );
}

function Funnel({ report }: { report: Report }) {
  return (
    <Panel title="From cart to money">
      <Bars
        color={SEA}
        bars={funnelSteps(report.funnel).map(({ name, count, share, kept }) => ({
          name,
          value: kept ? `${whole.format(count)} (${kept})` : whole.format(count),
          share,
        }))}
      />
      <Text size="xs" c="dimmed" mt="sm">
        In brackets: of the step before. In all currencies.
      </Text>
    </Panel>
  );
}

function Refusals({ report }: { report: Report }) {
  const refusals = byCount(report.refusals);
  const most = refusals[0]?.orders ?? 1;
  return (
    <Panel title="Not sold, by reason">
      {refusals.length === 0 ? (
        <Text size="sm" c="dimmed">
          None in this time.
        </Text>
      ) : (
        <Bars
          bars={refusals.map(({ reason, orders }) => ({
            name: reasonWords[reason],
            value: whole.format(orders),
            share: orders / most,
          }))}
        />
      )}
    </Panel>
  );
}

function Latency({ report: { latency } }: { report: Report }) {
  const shares: [string, number | null | undefined][] = [
    ["p50", latency.p50Seconds],
    ["p90", latency.p90Seconds],
    ["p99", latency.p99Seconds],
  ];
  return (
    <Panel title="How long orders took">
      <dl className={classes.facts}>
        {shares.map(([name, seconds]) => (
          <div key={name}>
            <dt>
              <Text size="sm" c="dimmed" component="span">
                {name}
              </Text>
            </dt>
            <dd className={classes.figure}>{secondsWords(seconds)}</dd>
          </div>
        ))}
      </dl>
      <Text size="xs" c="dimmed" mt="sm">
        {latency.orders === 0
          ? "No order came to its end in this time."
          : `Of ${whole.format(latency.orders)}, from placed to the end: half, 90 and 99 of 100 took no longer.`}
      </Text>
    </Panel>
  );
}

export function SalesCharts({ report, now }: { report: Report; now: number }) {
  const { series, interval, currency, totals } = report;
  const each = interval === "HOUR" ? "hour" : "day";
  const label = (at: string) => pointLabel(at, interval);
  const begun = series.filter(({ at }) => Date.parse(at) <= now);
  const start = series[0] ? label(series[0].at) : "";
  const last = series[series.length - 1];
  const end = last ? label(last.at) : "";
  const revenue = line(series, now, (figures) => Number(figures.revenue.amount));
  return (
    <>
      <div className={classes.charts}>
        <Panel title={`Revenue by the ${each}`}>
          <Chart
            label={`Revenue by the ${each}, ${start} to ${end}: ${formatMoney(totals.revenue)} in all`}
            bars={[{ color: SEA, values: revenue }]}
            format={(value) => formatRoundMoney(value, currency)}
            start={start}
            end={end}
            notes={series.map(({ at, figures }) => `${label(at)}: ${formatMoney(figures.revenue)}`)}
          />
        </Panel>
        <Panel
          title={`Orders by the ${each}`}
          aside={
            <Legend
              entries={[
                [SEA, "placed"],
                [DARK_SEA, "paid"],
                [ORANGE, "cancelled"],
              ]}
            />
          }
        >
          <Chart
            label={
              `Orders by the ${each}, ${start} to ${end}: ${totals.orders} placed, ` +
              `${totals.paid} paid, ${totals.cancelled} cancelled`
            }
            bars={[{ color: SEA, values: line(series, now, ({ orders }) => orders) }]}
            lines={[
              { color: DARK_SEA, values: line(series, now, ({ paid }) => paid) },
              { color: ORANGE, values: line(series, now, ({ cancelled }) => cancelled) },
            ]}
            format={whole.format}
            start={start}
            end={end}
            notes={
              begun.length === 0
                ? []
                : series.map(
                    ({ at, figures: { orders, paid, cancelled } }) =>
                      `${label(at)}: ${orders} placed, ${paid} paid, ${cancelled} cancelled`,
                  )
            }
          />
        </Panel>
      </div>
      <div className={classes.thirds}>
        <Funnel report={report} />
        <Refusals report={report} />
        <Latency report={report} />
      </div>
    </>
  );
}

/** The charts in figures, for who reads rather than looks. The newest comes first. */
export function SalesTable({ report, now }: { report: Report; now: number }) {
  const begun = report.series.filter(({ at }) => Date.parse(at) <= now).reverse();
  return (
    <Card withBorder radius="lg" padding="md" component="details" className={classes.unfold ?? ""}>
      <summary>The same as a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label="Figures over time">
        <Table miw={640} verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{report.interval === "HOUR" ? "From" : "Day"}</Table.Th>
              <Table.Th ta="right">Placed</Table.Th>
              <Table.Th ta="right">Paid</Table.Th>
              <Table.Th ta="right">Cancelled</Table.Th>
              <Table.Th ta="right">Revenue</Table.Th>
              <Table.Th ta="right">Went back</Table.Th>
              <Table.Th ta="right">Discounts</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody className={classes.number ?? ""}>
            {begun.map(({ at, figures }) => (
              <Table.Tr key={at}>
                <Table.Td>{pointLabel(at, report.interval)}</Table.Td>
                <Table.Td ta="right">{whole.format(figures.orders)}</Table.Td>
                <Table.Td ta="right">{whole.format(figures.paid)}</Table.Td>
                <Table.Td ta="right">{whole.format(figures.cancelled)}</Table.Td>
                <Table.Td ta="right">{formatMoney(figures.revenue)}</Table.Td>
                <Table.Td ta="right">{formatMoney(figures.refunded)}</Table.Td>
                <Table.Td ta="right">{formatMoney(figures.discounts)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
    </Card>
  );
}
