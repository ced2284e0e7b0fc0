// One order, as the shop sees it from inside: every call with its attempts, every event, the payment.
import { useQuery } from "@apollo/client/react";
import {
  Alert,
  Anchor,
  Badge,
  Breadcrumbs,
  Card,
  Code,
  CopyButton,
  Group,
  Skeleton,
  Stack,
  Table,
  Text,
  Title,
  UnstyledButton,
  VisuallyHidden,
} from "@mantine/core";
import { IconAlertTriangle, IconExternalLink, IconMapQuestion } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link, useParams } from "react-router";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import { formatDateTime, formatSpan, formatTime } from "../lib/dates";
import { explain } from "../lib/errors";
import { formatMoney } from "../lib/money";
import { LiveBadge } from "../orders/LiveBadge";
import { PaymentPanel } from "../orders/PaymentPanel";
import { SagaRail } from "../orders/SagaRail";
import { StatusBadge } from "../orders/StatusBadge";
import { StepList } from "../orders/StepList";
import { journey } from "../orders/stations";
import { useOrderProgress } from "../orders/useOrderProgress";
import { returnedWords } from "../orders/words";
import { CancelAction, RefundAction, RetryAction } from "./actions";
import { type OrderStatus, SagaOfOrderDocument, type SagaOfOrderQuery } from "./documents";
import classes from "./Ops.module.css";
import { ReturnAction } from "./ReturnAction";
import { traceLink, useTraceViewer } from "./traceViewer";
import { callName, callWords, returnWords } from "./words";

type Order = NonNullable<SagaOfOrderQuery["order"]>;
type Saga = NonNullable<Order["saga"]>;

const REFUNDABLE: ReadonlySet<OrderStatus> = new Set(["PAID", "SHIPPED", "DELIVERED"]);

function Copied({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <UnstyledButton onClick={copy}>
          <VisuallyHidden>Copy {label}: </VisuallyHidden>
          <Code>{text}</Code>{" "}
          <Text component="span" size="xs" c="dimmed" aria-live="polite">
            {copied ? "copied" : ""}
          </Text>
        </UnstyledButton>
      )}
    </CopyButton>
  );
}

function Calls({ saga }: { saga: Saga }) {
  return (
    <Card withBorder radius="lg" padding="lg">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          Calls to other services
        </Title>
        <Text size="sm" c="dimmed">
          now at <Code>{saga.step}</Code>
        </Text>
      </Group>
      {saga.steps.length === 0 ? (
        <Text size="sm" c="dimmed">
          None was started yet.
        </Text>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className={classes.scroll} tabIndex={0} aria-label="Calls to other services">
          <Table miw={520} verticalSpacing={8}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Call</Table.Th>
                <Table.Th>How it stands</Table.Th>
                <Table.Th ta="right">Attempts</Table.Th>
                <Table.Th ta="right">Started</Table.Th>
                <Table.Th ta="right">Took</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {saga.steps.map((step) => (
                <Table.Tr key={step.name}>
                  <Table.Td>
                    <Text size="sm">{callName(step.name)}</Text>
                    {step.kind === "COMPENSATION" && (
                      <Text size="xs" c="dimmed">
                        takes back what was done
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <Badge color={callWords[step.state].color} variant="light" tt="none">
                      {callWords[step.state].label}
                    </Badge>
                  </Table.Td>
                  <Table.Td ta="right" className={classes.number ?? ""}>
                    {step.attempts}
                  </Table.Td>
                  <Table.Td ta="right" className={classes.number ?? ""}>
                    {formatTime(step.startedAt)}
                  </Table.Td>
                  <Table.Td ta="right" className={classes.number ?? ""}>
                    {step.endedAt ? formatSpan(Date.parse(step.endedAt) - Date.parse(step.startedAt)) : "…"}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </section>
      )}
      {saga.lastError && (
        <Text size="sm" c="dimmed" mt="sm">
          What went wrong last: {saga.lastError}
        </Text>
      )}
      {saga.attempt > 1 && (
        <Text size="sm" c="dimmed" mt={4}>
          The call that is awaited now was started {saga.attempt} times.
        </Text>
      )}
    </Card>
  );
}

function Returns({ order }: { order: Order }) {
  if (order.returns.length === 0) return null;
  return (
    <Card withBorder radius="lg" padding="lg" component="section" aria-label="Returns">
      <Title order={2} size="h4" mb="sm">
        Returns
      </Title>
      <Stack gap="sm">
        {order.returns.map((back) => (
          <Group key={back.id} justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
            <div>
              <Text size="sm">{returnedWords(back.lines)}</Text>
              <Text size="xs" c="dimmed">
                {formatDateTime(back.createdAt)}
                {back.reason && ` · ${back.reason}`}
                {back.lines.some((line) => !line.restock) && " · not all of it back on the shelf"}
              </Text>
              {back.lastError && (
                <Text size="xs" c="orange">
                  {back.lastError}
                </Text>
              )}
            </div>
            <Stack gap={4} align="flex-end">
              <Text size="sm" className={classes.number ?? ""}>
                −{formatMoney(back.amount)}
              </Text>
              <Badge
                color={back.needsAttention ? "orange" : returnWords[back.status].color}
                variant="light"
                tt="none"
              >
                {back.needsAttention ? "A person should look" : returnWords[back.status].label}
              </Badge>
            </Stack>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}

function Facts({ order }: { order: Order }) {
  return (
    <Card withBorder radius="lg" padding="lg">
      <Title order={2} size="h4" mb="sm">
        Order
      </Title>
      <Stack gap={6}>
        <Text size="sm">
          {order.customer
            ? `${order.customer.displayName}, ${order.customer.email}`
            : "The buyer can't be shown right now."}
        </Text>
        {order.lines.map((line) => (
          <Group key={line.id} justify="space-between" wrap="nowrap" gap="sm">
            <Text size="sm" c="dimmed">
              {line.quantity} × {line.title} ({line.sku})
              {line.returnedQuantity > 0 && `, ${line.returnedQuantity} returned`}
            </Text>
            <Text size="sm" className={classes.number ?? ""}>
              {formatMoney(line.lineTotal)}
            </Text>
          </Group>
        ))}
        {order.discount && (
          <Group justify="space-between" wrap="nowrap" gap="sm">
            <Text size="sm" c="dimmed">
              Coupon {order.discount.code}
            </Text>
            <Text size="sm" className={classes.number ?? ""}>
              −{formatMoney(order.discount.amount)}
            </Text>
          </Group>
        )}
        {order.saga && !order.isFinal && (
          <Text size="sm" c="dimmed">
            Given up at {formatTime(order.saga.deadlineAt)} unless it is paid by then.
          </Text>
        )}
        <Copied text={order.id} label="the order's id" />
      </Stack>
    </Card>
  );
}

function Trace({ order, traceId }: { order: Order; traceId: string }) {
  const viewer = useTraceViewer();
  return (
    <Card withBorder radius="lg" padding="lg" component="section" aria-label="Trace">
      <Title order={2} size="h4" mb="sm">
        Trace
      </Title>
      <Stack gap={6} align="flex-start">
        <Text size="sm" c="dimmed">
          One trace holds the request, every call and every event of this order.
        </Text>
        {viewer && (
          <Anchor href={traceLink(viewer, traceId)} target="_blank" rel="noreferrer" size="sm">
            Open it in the trace viewer <IconExternalLink size={14} aria-hidden />
          </Anchor>
        )}
        <Anchor component={Link} to={`/ops/orders/${order.id}/trace`} size="sm">
          What each service wrote in its log
        </Anchor>
        <Copied text={traceId} label="the trace's id" />
      </Stack>
    </Card>
  );
}

function LiveSaga({ order, reload }: { order: Order; reload(): void }) {
  const timeline = useOrderProgress(order.id, order);
  const now = timeline.order ?? order;
  const version = now.version;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a step of the order is the reason to look again
  useEffect(() => {
    if (version <= order.version) return;
    const timer = setTimeout(reload, 150);
    return () => clearTimeout(timer);
  }, [version]);

  const attention =
    (order.saga?.needsAttention ?? false) || order.returns.some((back) => back.needsAttention);
  return (
    <Stack gap="lg">
      <Breadcrumbs component="nav" aria-label="Where you are">
        <Anchor component={Link} to="/ops" size="sm">
          Overview
        </Anchor>
        <Text size="sm">{order.number}</Text>
      </Breadcrumbs>
      <Group justify="space-between" align="flex-start" gap="md">
        <div>
          <Group gap="sm">
            <Title order={2}>Order {order.number}</Title>
            <StatusBadge status={now.status} />
          </Group>
          <Text c="dimmed" size="sm">
            Placed on {formatDateTime(order.placedAt)} · {formatMoney(order.total)}
          </Text>
        </div>
        <Group gap="xs">
          {(attention || !now.isFinal) && <RetryAction order={order} onDone={reload} size="sm" />}
          {!now.isFinal && <CancelAction order={order} onDone={reload} size="sm" />}
          {REFUNDABLE.has(now.status) && <ReturnAction order={order} onDone={reload} />}
          {REFUNDABLE.has(now.status) && <RefundAction order={order} onDone={reload} size="sm" />}
        </Group>
      </Group>
      {attention && (
        <Alert color="orange" icon={<IconAlertTriangle aria-hidden />} title="A person should look">
          {order.saga?.lastError ??
            order.returns.find((back) => back.lastError)?.lastError ??
            "It was tried again and again without an answer."}
        </Alert>
      )}
      <Card withBorder radius="lg" padding="lg" component="section" aria-label="Progress">
        <Stack gap="lg">
          <LiveBadge timeline={timeline} replay={false} />
          <SagaRail journey={journey(timeline.events)} />
        </Stack>
      </Card>
      {order.saga && <Calls saga={order.saga} />}
      <div className={classes.plugs}>
        <Card withBorder radius="lg" padding="lg">
          <Title order={2} size="h4" mb="md">
            Every event
          </Title>
          <StepList events={timeline.events} />
        </Card>
        <Stack gap="lg">
          <Facts order={order} />
          <Returns order={order} />
          {order.saga?.traceId && <Trace order={order} traceId={order.saga.traceId} />}
          <PaymentPanel orderId={order.id} version={version} />
        </Stack>
      </div>
    </Stack>
  );
}

export function SagaPage() {
  const { id = "" } = useParams();
  const { data, loading, error, refetch } = useQuery(SagaOfOrderDocument, {
    variables: { id },
    fetchPolicy: "cache-and-network",
    nextFetchPolicy: "cache-first",
  });
  const order = data?.order?.timeline && data.order.lines ? (data.order as Order) : null;
  usePageTitle(order ? `Order ${order.number}, control room` : "Control room");
  if (order) return <LiveSaga key={order.id} order={order} reload={() => void refetch().catch(() => null)} />;
  if (loading) return <Skeleton height={320} radius="lg" aria-busy />;
  if (error && explain(error).code !== "BAD_USER_INPUT") {
    return <Problem error={error} onRetry={() => void refetch()} />;
  }
  return <Empty icon={<IconMapQuestion size={36} />} title="There is no such order" />;
}
