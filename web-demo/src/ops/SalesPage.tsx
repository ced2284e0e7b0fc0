// What was sold: figures of a day or of several, read again every half a minute.
import { Alert, Group, NativeSelect, SegmentedControl, Skeleton, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import { formatTime } from "../lib/dates";
import { SalesReportDocument } from "./documents";
import classes from "./Ops.module.css";
import { SalesCharts, SalesTable } from "./SalesCharts";
import { SalesTiles } from "./SalesTiles";
import { CURRENCIES, dayBegins, isQuiet, rangeOf, VIEWS, type View } from "./sales";
import { TopSales } from "./TopSales";
import { useLastRead } from "./useLastRead";

/** As many shapes as the figures will have, so that nothing moves when they come. */
function Waiting() {
  return (
    <Stack gap="md" aria-busy>
      <Skeleton height={110} radius="lg" />
      <Skeleton height={280} radius="lg" />
      <Skeleton height={240} radius="lg" />
    </Stack>
  );
}

export function SalesPage() {
  usePageTitle("Sales");
  const [view, setView] = useState<View>("today");
  const [currency, setCurrency] = useState("USD");
  // Tried again, all of it is.
  const [turn, setTurn] = useState(0);
  const variables = { ...rangeOf(view, Date.now()), currency };
  const { seen, isOther, loading, error, again } = useLastRead(SalesReportDocument, variables);
  const report = seen?.data.salesReport;
  const begins = dayBegins();

  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <Group gap="sm">
          <SegmentedControl
            aria-label="Which time"
            value={view}
            onChange={(value) => setView(value as View)}
            data={VIEWS}
          />
          <NativeSelect
            aria-label="Currency"
            value={currency}
            onChange={(event) => setCurrency(event.currentTarget.value)}
            data={CURRENCIES}
          />
        </Group>
        <Text size="sm" c="dimmed" mih={22} data-read={seen?.at ?? ""}>
          {seen ? `Figures as of ${formatTime(new Date(seen.at).toISOString())}` : "\u00a0"}
          <span role="status">{report && error !== null && ". They can't be read anew right now."}</span>
        </Text>
      </Group>
      {!report && error !== null && (
        <Problem
          error={error}
          onRetry={() => {
            again();
            setTurn(turn + 1);
          }}
        />
      )}
      {!report && loading && <Waiting />}
      {seen && report && (
        <Stack gap="md" className={classes.read ?? ""} data-stale={isOther || undefined}>
          {isQuiet(report) && (
            <Alert color="gray" title="Nothing yet" role="status">
              Nobody has ordered anything in this time and currency. As soon as somebody does, it is counted
              here.
            </Alert>
          )}
          <SalesTiles report={report} />
          <SalesCharts report={report} now={seen.at} />
        </Stack>
      )}
      <TopSales key={turn} variables={variables} isSaid={!report && error !== null} />
      {seen && report && <SalesTable report={report} now={seen.at} />}
      <Text size="xs" c="dimmed">
        Days are days of UTC{begins ? `: here they begin at ${begins}` : ""}. Buyers count once a day. What
        was sold best is before discounts. All of it is read again every half a minute.
      </Text>
    </Stack>
  );
}
