// What every service wrote in its log about one order: the trace, where nothing collects spans.
import { useQuery } from "@apollo/client/react";
import { Alert, Anchor, Badge, Breadcrumbs, Card, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconFileSearch } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { Link, useParams } from "react-router";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import { formatSpan, formatTime } from "../lib/dates";
import { dev, type LogLine, NoPlugs, type TraceLines } from "./dev";
import { SagaOfOrderDocument } from "./documents";
import classes from "./Ops.module.css";

const LEVELS: Record<string, string> = { ERROR: "red", WARN: "orange", INFO: "teal" };
/** Said elsewhere on the page, or of no use to a reader. */
const SHOWN_ELSEWHERE = new Set([
  "time",
  "level",
  "service",
  "message",
  "target",
  "trace_id",
  "correlation_id",
  "module_path",
  "file",
  "line",
]);

function details(line: LogLine): string {
  return Object.entries(line)
    .filter(([name]) => !SHOWN_ELSEWHERE.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("  ");
}

function Lines({ lines }: { lines: readonly LogLine[] }) {
  const begun = Date.parse(lines[0]?.time ?? "");
  return (
    <ol className={classes.log}>
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two lines may be the same but for their place
        <li key={index} className={classes.logLine}>
          <Text size="xs" c="dimmed" className={classes.number ?? ""} title={formatTime(line.time)}>
            +{formatSpan(Date.parse(line.time) - begun)}
          </Text>
          <Badge size="sm" variant="light" color={LEVELS[line.level] ?? "gray"} tt="none">
            {line.service}
          </Badge>
          <div>
            <Text size="sm">{line.message ?? line.target}</Text>
            <Text size="xs" c="dimmed" className={classes.logDetails ?? ""}>
              {details(line)}
            </Text>
          </div>
        </li>
      ))}
    </ol>
  );
}

function useLines(traceId: string | null | undefined) {
  const [state, setState] = useState<{ found: TraceLines | null; error: unknown }>({
    found: null,
    error: null,
  });
  useEffect(() => {
    if (!traceId) return;
    let over = false;
    const show = (next: typeof state) => {
      if (!over) setState(next);
    };
    dev.trace(traceId).then(
      (found) => show({ found, error: null }),
      (error: unknown) => show({ found: null, error }),
    );
    return () => {
      over = true;
    };
  }, [traceId]);
  return state;
}

export function TracePage() {
  const { id = "" } = useParams();
  const order = useQuery(SagaOfOrderDocument, { variables: { id } });
  const traceId = order.data?.order?.saga?.traceId;
  const number = order.data?.order?.number;
  const { found, error } = useLines(traceId);
  usePageTitle(number ? `Trace of ${number}` : "Trace");

  if (order.error && !order.data?.order) {
    return <Problem error={order.error} onRetry={() => void order.refetch()} />;
  }
  if (error instanceof NoPlugs || (!order.loading && !traceId)) {
    return (
      <Empty icon={<IconFileSearch size={36} />} title="No trace here">
        Logs can only be read on a developer's own machine, by administrators. Elsewhere a viewer of traces
        has them.
      </Empty>
    );
  }
  return (
    <Stack gap="lg">
      <Breadcrumbs component="nav" aria-label="Where you are">
        <Anchor component={Link} to="/ops" size="sm">
          Overview
        </Anchor>
        <Anchor component={Link} to={`/ops/orders/${id}`} size="sm">
          {number ?? "Order"}
        </Anchor>
        <Text size="sm">Trace</Text>
      </Breadcrumbs>
      <Card withBorder radius="lg" padding="lg" component="section" aria-label="Log lines">
        <Title order={2} size="h4" mb={4}>
          What each service wrote
        </Title>
        <Text size="sm" c="dimmed" mb="md">
          Every line that carries the order's trace, from the first request on.
        </Text>
        {error !== null && (
          <Alert color="yellow" role="alert">
            The logs can't be read right now.
          </Alert>
        )}
        {!found && error === null && <Skeleton height={260} aria-busy />}
        {found?.lines.length === 0 && (
          <Text size="sm" c="dimmed">
            Nothing: it went straight. Services write down what does not answer, is tried again or has to be
            looked at. Pull a plug, buy something, and look again.
          </Text>
        )}
        {found && <Lines lines={found.lines} />}
        {found?.more && (
          <Text size="sm" c="dimmed" mt="sm">
            There are more than can be shown here.
          </Text>
        )}
      </Card>
    </Stack>
  );
}
