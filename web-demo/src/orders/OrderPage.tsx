// One order, live: its saga drawn, every step as it comes, its payment and what was bought.
import { useQuery } from "@apollo/client/react";
import {
  Alert,
  Anchor,
  Breadcrumbs,
  Button,
  Card,
  Divider,
  Group,
  Skeleton,
  Stack,
  Text,
  Title,
  VisuallyHidden,
} from "@mantine/core";
import { useReducedMotion } from "@mantine/hooks";
import { IconCircleCheck, IconInfoCircle, IconMapQuestion } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link, Navigate, useLocation, useParams } from "react-router";
import { useCart } from "../cart/CartProvider";
import { Empty } from "../components/Empty";
import { Picture } from "../components/Picture";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import { OrderDocument, type OrderQuery, type OrderStatus } from "../gql/documents";
import { formatDateTime } from "../lib/dates";
import { explain } from "../lib/errors";
import { formatMoney } from "../lib/money";
import { useSession } from "../session/SessionProvider";
import { BuyAgain } from "./BuyAgain";
import { CancelOrder } from "./CancelOrder";
import { LiveBadge } from "./LiveBadge";
import classes from "./OrderPage.module.css";
import { PaymentPanel } from "./PaymentPanel";
import { SagaRail } from "./SagaRail";
import { StatusBadge } from "./StatusBadge";
import { StepList } from "./StepList";
import { journey } from "./stations";
import type { Timeline } from "./timeline";
import { useOrderProgress } from "./useOrderProgress";
import { usePaced } from "./usePaced";
import { cancelWords, returnedWords, stepWords } from "./words";

/** A settled order may still move, by shipping or by money that comes too late: looked at now and then. */
const LOOK_AGAIN_MS = 5_000;
const CANCELLABLE: ReadonlySet<OrderStatus> = new Set(["PENDING", "AWAITING_PAYMENT"]);

type Order = NonNullable<OrderQuery["order"]>;

function Outcome({ timeline }: { timeline: Timeline }) {
  const { order, events } = timeline;
  if (!order) return null;
  if (order.status === "PAID" && !events.some((event) => event.step === "REFUNDING")) {
    return (
      <Alert color="teal" icon={<IconCircleCheck aria-hidden />} title="Paid. It is yours.">
        The card was charged once, and the stock is set aside for you for good.
      </Alert>
    );
  }
  if (order.cancelReason) {
    const { title, text } = cancelWords[order.cancelReason];
    const late =
      order.status === "REFUNDED" ? " The bank charged the card all the same; that money was returned." : "";
    return (
      <Alert
        color={order.cancelReason === "CUSTOMER" ? "gray" : "orange"}
        icon={<IconInfoCircle aria-hidden />}
        title={title}
      >
        {text}
        {late}
      </Alert>
    );
  }
  return null;
}

function Lines({ order }: { order: Order }) {
  return (
    <Card withBorder radius="lg" padding="lg">
      <Title order={2} size="h4" mb="sm">
        What you bought
      </Title>
      <Stack gap="sm">
        {order.lines.map((line) => (
          <Group key={line.id} wrap="nowrap" gap="sm">
            <div className={classes.picture}>
              <Picture src={line.variant?.product?.imageUrl} title={line.title} />
            </div>
            <div className={classes.line}>
              {line.variant?.product ? (
                <Anchor component={Link} to={`/p/${line.variant.product.slug}`} size="sm" fw={600} c="bright">
                  {line.title}
                </Anchor>
              ) : (
                <Text size="sm" fw={600}>
                  {line.title}
                </Text>
              )}
              <Text size="xs" c="dimmed">
                {line.quantity} × {formatMoney(line.unitPrice)} · {line.sku}
                {line.returnedQuantity > 0 && ` · ${line.returnedQuantity} returned`}
              </Text>
            </div>
            <Text size="sm" className={classes.amount ?? ""}>
              {formatMoney(line.lineTotal)}
            </Text>
          </Group>
        ))}
        <Divider />
        {order.discount && (
          <>
            <Group justify="space-between">
              <Text size="sm">Subtotal</Text>
              <Text size="sm" className={classes.amount ?? ""}>
                {formatMoney(order.subtotal)}
              </Text>
            </Group>
            <Group justify="space-between" wrap="nowrap">
              <Text size="sm">Coupon {order.discount.code}</Text>
              <Text size="sm" className={classes.amount ?? ""}>
                −{formatMoney(order.discount.amount)}
              </Text>
            </Group>
          </>
        )}
        <Group justify="space-between">
          <Text fw={600}>Total</Text>
          <Text fw={700} size="lg">
            {formatMoney(order.total)}
          </Text>
        </Group>
      </Stack>
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
            <div className={classes.line}>
              <Text size="sm">{returnedWords(back.lines)}</Text>
              <Text size="xs" c="dimmed">
                {formatDateTime(back.createdAt)} ·{" "}
                {back.isRefunded ? "your money went back" : "your money is on its way"}
              </Text>
            </div>
            <Text size="sm" className={classes.amount ?? ""}>
              −{formatMoney(back.amount)}
            </Text>
          </Group>
        ))}
        <Divider />
        <Group justify="space-between">
          <Text size="sm" fw={600}>
            Went back so far
          </Text>
          <Text size="sm" fw={600}>
            {formatMoney(order.refundedAmount)}
          </Text>
        </Group>
      </Stack>
    </Card>
  );
}

function LiveOrder({ order }: { order: Order }) {
  const timeline = useOrderProgress(order.id, order);
  const { reload } = useCart();
  const { state } = useLocation();
  const still = useReducedMotion();
  const justPlaced = Boolean((state as { placed?: boolean } | null)?.placed);
  const events = usePaced(timeline.events, justPlaced && !still);
  const last = events.at(-1);
  const paced = events.length < timeline.events.length;
  const now = timeline.order ?? order;
  const status = paced && last ? last.status : now.status;
  const way = journey(events);
  const settled = now.isFinal && !paced;

  // A paid order has emptied the cart it came from.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is settled
  useEffect(() => {
    if (!settled) return;
    const timer = setTimeout(() => void reload().catch(() => null), 1_500);
    return () => clearTimeout(timer);
  }, [settled]);

  return (
    <Stack gap="lg">
      <Breadcrumbs component="nav" aria-label="Where you are">
        <Anchor component={Link} to="/orders" size="sm">
          Your orders
        </Anchor>
        <Text size="sm">{order.number}</Text>
      </Breadcrumbs>
      <Group justify="space-between" align="flex-start" gap="md">
        <div>
          <Group gap="sm">
            <Title order={1}>Order {order.number}</Title>
            <StatusBadge status={status} />
          </Group>
          <Text c="dimmed" size="sm">
            Placed on {formatDateTime(order.placedAt)} · {formatMoney(order.total)}
          </Text>
        </div>
        {CANCELLABLE.has(status) && !now.isFinal && !way.back.length && (
          <CancelOrder orderId={order.id} number={order.number} />
        )}
        {status === "CANCELLED" && settled && (
          <BuyAgain lines={order.lines} currencyCode={order.total.currencyCode} />
        )}
      </Group>
      <Card withBorder radius="lg" padding="lg" component="section" aria-label="Progress">
        <Stack gap="lg">
          <LiveBadge timeline={timeline} replay={paced} />
          <SagaRail journey={way} />
          <VisuallyHidden aria-live="polite">{last ? stepWords[last.step].title : ""}</VisuallyHidden>
        </Stack>
      </Card>
      {!paced && <Outcome timeline={timeline} />}
      <div className={classes.columns}>
        <Card withBorder radius="lg" padding="lg">
          <Title order={2} size="h4" mb="md">
            Every step
          </Title>
          <StepList events={events} />
        </Card>
        <Stack gap="lg">
          {!paced && <PaymentPanel orderId={order.id} version={now.version} />}
          <Lines order={order} />
          <Returns order={order} />
        </Stack>
      </div>
    </Stack>
  );
}

export function OrderPage() {
  const { id = "" } = useParams();
  const { user } = useSession();
  const { pathname } = useLocation();
  const { data, loading, error, refetch, startPolling, stopPolling } = useQuery(OrderDocument, {
    variables: { id },
    skip: !user,
    fetchPolicy: "cache-and-network",
    nextFetchPolicy: "cache-first",
    skipPollAttempt: () => document.hidden,
  });
  const order = data?.order?.lines && data.order.timeline ? (data.order as Order) : null;
  usePageTitle(order ? `Order ${order.number}` : "Order");

  const settled = order?.isFinal ?? false;
  useEffect(() => {
    if (!settled) return;
    startPolling(LOOK_AGAIN_MS);
    return stopPolling;
  }, [settled, startPolling, stopPolling]);

  if (!user) return <Navigate to="/login" replace state={{ from: pathname }} />;
  if (order) return <LiveOrder key={order.id} order={order} />;
  if (loading) {
    return (
      <Stack aria-busy>
        <Skeleton height={40} width={260} />
        <Skeleton height={210} radius="lg" />
        <Skeleton height={260} radius="lg" />
      </Stack>
    );
  }
  // An address that is no order is an order that does not exist.
  if (error && explain(error).code !== "BAD_USER_INPUT") {
    return <Problem error={error} onRetry={() => void refetch()} />;
  }
  return (
    <Empty
      icon={<IconMapQuestion size={36} />}
      title="There is no such order of yours"
      action={
        <Button component={Link} to="/orders">
          Your orders
        </Button>
      }
    />
  );
}
