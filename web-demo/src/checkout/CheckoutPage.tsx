import { useMutation } from "@apollo/client/react";
import {
  Alert,
  Badge,
  Button,
  Card,
  Code,
  Divider,
  Group,
  Radio,
  Skeleton,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { IconCreditCard, IconLock, IconShoppingCart } from "@tabler/icons-react";
import { useState } from "react";
import { Link, Navigate, useLocation, useNavigate } from "react-router";
import { type Cart, useCart } from "../cart/CartProvider";
import { CouponField } from "../cart/CouponField";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import { CreateOrderDocument, type OrderErrorCode } from "../gql/documents";
import { orderWords } from "../lib/errors";
import { formatMoney } from "../lib/money";
import { useSession } from "../session/SessionProvider";
import { attemptKey, endAttempt } from "./attempt";
import classes from "./CheckoutPage.module.css";
import { TEST_CARDS, TEST_COUPON } from "./cards";

/** Refusals after which the cart must be looked at anew. */
const STALE: ReadonlySet<OrderErrorCode> = new Set([
  "CART_CHANGED",
  "PRICE_CHANGED",
  "CART_EMPTY",
  "CART_NOT_FOUND",
  "COUPON_NOT_APPLICABLE",
]);

function usePlaceOrder(cart: Cart | null) {
  const { reload, coupon } = useCart();
  const navigate = useNavigate();
  const [createOrder] = useMutation(CreateOrderDocument);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);

  const place = async (paymentMethod: string) => {
    if (!cart || !coupon.total || busy) return;
    setBusy(true);
    setRefused(null);
    setFault(null);
    const total = coupon.total.amount;
    const attempt = { cartId: cart.id, cartVersion: cart.version, total, paymentMethod };
    const input = {
      cartId: cart.id,
      cartVersion: cart.version,
      expectedTotal: total,
      paymentMethod,
      idempotencyKey: attemptKey(attempt),
    };
    try {
      const { data } = await createOrder({ variables: { input } });
      const refusal = data?.createOrder.userErrors[0];
      if (data?.createOrder.order) {
        endAttempt();
        await navigate(`/orders/${data.createOrder.order.id}`, { state: { placed: true } });
      } else if (refusal) {
        setRefused(orderWords[refusal.code]);
        if (refusal.code !== "IN_PROGRESS") endAttempt();
        if (STALE.has(refusal.code)) {
          coupon.retry();
          await reload();
        }
      }
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };
  return { place, busy, refused, fault };
}

function CardChoice({ value, onChange }: { value: string; onChange(value: string): void }) {
  return (
    <Radio.Group
      value={value}
      onChange={onChange}
      label="How should the bank behave?"
      description="No real cards here: each of these makes the demonstration's bank do something else."
      classNames={{ label: classes.groupLabel ?? "" }}
    >
      <div className={classes.cards}>
        {TEST_CARDS.map((card) => (
          <Radio.Card key={card.method} value={card.method} p="md" radius="md" className={classes.card ?? ""}>
            <Group wrap="nowrap" align="flex-start" gap="sm">
              <Radio.Indicator mt={2} />
              <div>
                <Group gap="xs">
                  <Text fw={600}>{card.name}</Text>
                  <Badge color={card.tone} variant="light" size="sm" tt="none">
                    {card.outcome}
                  </Badge>
                </Group>
                <Text size="sm" c="dimmed" mt={4}>
                  {card.text}
                </Text>
                <Code mt={6} fz={11}>
                  {card.method}
                </Code>
              </div>
            </Group>
          </Radio.Card>
        ))}
      </div>
    </Radio.Group>
  );
}

function Summary({ cart }: { cart: Cart }) {
  const { coupon } = useCart();
  return (
    <Stack gap="xs">
      {cart.lines.map((line) => (
        <Group key={line.id} justify="space-between" wrap="nowrap" gap="sm" align="flex-start">
          <Text size="sm">
            {line.quantity} × {line.variant?.product.title ?? "Product"}
            <Text component="span" size="sm" c="dimmed">
              {" "}
              {line.variant?.title}
            </Text>
          </Text>
          <Text size="sm" className={classes.amount ?? ""}>
            {formatMoney(line.lineTotal)}
          </Text>
        </Group>
      ))}
      <Divider my={4} />
      {cart.couponCode && (
        <Group justify="space-between">
          <Text size="sm">Subtotal</Text>
          <Text size="sm" className={classes.amount ?? ""}>
            {formatMoney(cart.subtotal)}
          </Text>
        </Group>
      )}
      <CouponField />
      <Group justify="space-between" mt={4}>
        <Text fw={600}>Total</Text>
        <Text fw={700} size="xl" aria-live="polite">
          {coupon.total ? formatMoney(coupon.total) : "…"}
        </Text>
      </Group>
    </Stack>
  );
}

export function CheckoutPage() {
  usePageTitle("Check out");
  const { user } = useSession();
  const { pathname } = useLocation();
  const { cart, loading, error, reload, coupon } = useCart();
  const [method, setMethod] = useState("pm_card_visa");
  const { place, busy, refused, fault } = usePlaceOrder(cart);

  if (!user) return <Navigate to="/login" replace state={{ from: pathname }} />;
  if (loading) return <Skeleton height={420} radius="lg" aria-busy />;
  if (error) return <Problem error={error} onRetry={() => void reload()} />;
  if (!cart || (cart.lines.length === 0 && !busy)) {
    return (
      <Empty
        icon={<IconShoppingCart size={36} />}
        title="There is nothing to check out"
        action={
          <Button component={Link} to="/">
            Look around
          </Button>
        }
      >
        {refused ?? "Put something in your cart first."}
      </Empty>
    );
  }
  return (
    <Stack gap="lg">
      <Title order={1}>Check out</Title>
      <div className={classes.layout}>
        <Stack gap="md">
          <CardChoice value={method} onChange={setMethod} />
          <Text size="sm" c="dimmed">
            There is a coupon to try, too: <Code>{TEST_COUPON.code}</Code> {TEST_COUPON.text}
          </Text>
        </Stack>
        <Card withBorder radius="lg" padding="lg" className={classes.summary ?? ""}>
          <Stack gap="md">
            <Title order={2} size="h4">
              Your order
            </Title>
            <Summary cart={cart} />
            {refused && (
              <Alert color="yellow" role="alert" title="Not ordered yet">
                {refused}
              </Alert>
            )}
            {fault !== null && <Problem error={fault} onRetry={() => void place(method)} />}
            <Button
              size="md"
              loading={busy}
              disabled={!coupon.total || Boolean(coupon.coupon?.problem)}
              leftSection={<IconCreditCard size={18} aria-hidden />}
              onClick={() => void place(method)}
            >
              Order and pay {formatMoney(coupon.total ?? cart.subtotal)}
            </Button>
            <Group gap={6} wrap="nowrap">
              <IconLock size={16} aria-hidden style={{ flexShrink: 0 }} />
              <Text size="xs" c="dimmed">
                Sent twice by accident, it is still one order. A price that changed meanwhile is never
                charged.
              </Text>
            </Group>
          </Stack>
        </Card>
      </div>
    </Stack>
  );
}
