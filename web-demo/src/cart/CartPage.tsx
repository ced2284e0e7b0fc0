import {
  ActionIcon,
  Alert,
  Anchor,
  Button,
  Card,
  Group,
  NumberInput,
  Skeleton,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { IconInfoCircle, IconShoppingCart, IconTrash } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { Availability } from "../catalogue/Availability";
import { Empty } from "../components/Empty";
import { notifyFault, notifyRefused } from "../components/failure";
import { Picture } from "../components/Picture";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import { formatDateTime } from "../lib/dates";
import { cartWords } from "../lib/errors";
import { formatMoney } from "../lib/money";
import { useSession } from "../session/SessionProvider";
import classes from "./CartPage.module.css";
import { type Cart, type CartRefusal, useCart } from "./CartProvider";
import { CouponField } from "./CouponField";

const SETTLE_MS = 450;

type Line = Cart["lines"][number];

/** Runs a change and says in plain words when it was not done. */
function useChange() {
  const [busy, setBusy] = useState(false);
  const run = async (change: () => Promise<CartRefusal[]>): Promise<boolean> => {
    setBusy(true);
    try {
      const [refusal] = await change();
      if (refusal) notifyRefused(cartWords[refusal.code]);
      return !refusal;
    } catch (error) {
      notifyFault(error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, run };
}

function Quantity({ line, title }: { line: Line; title: string }) {
  const { setQuantity } = useCart();
  const { busy, run } = useChange();
  const [wanted, setWanted] = useState(line.quantity);
  // What the cart holds, also for an answer that comes after a later change.
  const held = useRef(line.quantity);
  useEffect(() => {
    held.current = line.quantity;
    setWanted(line.quantity);
  }, [line.quantity]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only what was typed starts the clock
  useEffect(() => {
    if (wanted === line.quantity || wanted < 1) return;
    const timer = setTimeout(() => {
      void run(() => setQuantity(line.id, wanted)).then((done) => {
        if (!done) setWanted(held.current);
      });
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [wanted]);

  return (
    <NumberInput
      aria-label={`Quantity of ${title}`}
      w={84}
      min={1}
      max={999}
      allowDecimal={false}
      allowNegative={false}
      disabled={busy}
      value={wanted}
      onChange={(value) => setWanted(Number(value) || 0)}
      onBlur={() => wanted < 1 && setWanted(line.quantity)}
    />
  );
}

function CartRow({ line }: { line: Line }) {
  const { setQuantity } = useCart();
  const { busy, run } = useChange();
  const product = line.variant?.product;
  const title = product?.title ?? "Product";
  const availability = line.variant?.availability;
  const tooMany = availability && availability.maxOrderQuantity < line.quantity;
  return (
    <Card withBorder component="li" padding="sm" className={classes.row ?? ""}>
      <div className={classes.picture}>
        <Picture src={product?.imageUrl} title={title} />
      </div>
      <Stack gap={4} className={classes.text ?? ""}>
        {product ? (
          <Anchor component={Link} to={`/p/${product.slug}`} fw={600} c="bright">
            {title}
          </Anchor>
        ) : (
          <Text fw={600}>Details are not available right now</Text>
        )}
        <Text size="sm" c="dimmed">
          {line.variant?.title} · {formatMoney(line.unitPrice)} each
        </Text>
        <Group gap="xs">
          {!line.isAvailable || availability?.status === "OUT_OF_STOCK" ? (
            <Availability status="OUT_OF_STOCK" size="sm" />
          ) : (
            tooMany && (
              <Text size="xs" c="orange">
                Only {availability.maxOrderQuantity} left
              </Text>
            )
          )}
          {line.priceChanged && (
            <Text size="xs" c="orange">
              The price has changed since you put it in
            </Text>
          )}
        </Group>
      </Stack>
      <Quantity line={line} title={title} />
      <Text fw={600} className={classes.total ?? ""}>
        {formatMoney(line.lineTotal)}
      </Text>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        loading={busy}
        aria-label={`Remove ${title}`}
        onClick={() => void run(() => setQuantity(line.id, 0))}
      >
        <IconTrash size={18} aria-hidden />
      </ActionIcon>
    </Card>
  );
}

export function CartPage() {
  usePageTitle("Cart");
  const { cart, loading, error, reload, clear, coupon } = useCart();
  const { user } = useSession();
  const { busy, run } = useChange();

  if (loading) {
    return (
      <Stack aria-busy>
        <Skeleton height={36} width={180} />
        <Skeleton height={98} />
        <Skeleton height={98} />
      </Stack>
    );
  }
  if (error) return <Problem error={error} onRetry={() => void reload()} />;
  if (!cart || cart.lines.length === 0) {
    return (
      <Empty
        icon={<IconShoppingCart size={36} />}
        title="Your cart is empty"
        action={
          <Button component={Link} to="/">
            Look around
          </Button>
        }
      >
        What you put in stays here, also after a reload. Sign in to find it on your other devices.
      </Empty>
    );
  }
  return (
    <Stack gap="lg">
      <Title order={1}>Your cart</Title>
      <div className={classes.layout}>
        <Stack component="ul" gap="sm" className={classes.lines ?? ""}>
          {cart.lines.map((line) => (
            <CartRow key={line.id} line={line} />
          ))}
          <li>
            <Button variant="subtle" color="gray" size="xs" loading={busy} onClick={() => void run(clear)}>
              Empty the cart
            </Button>
          </li>
        </Stack>
        <Card withBorder padding="lg" radius="lg" className={classes.summary ?? ""}>
          <Stack gap="sm">
            <Group justify="space-between">
              <Text>
                {cart.totalQuantity.toLocaleString()} {cart.totalQuantity === 1 ? "piece" : "pieces"}
              </Text>
              <Text fw={cart.couponCode ? 500 : 700} size={cart.couponCode ? "md" : "xl"} aria-live="polite">
                {formatMoney(cart.subtotal)}
              </Text>
            </Group>
            <CouponField />
            {cart.couponCode && (
              <Group justify="space-between">
                <Text fw={600}>Total</Text>
                <Text fw={700} size="xl" aria-live="polite">
                  {coupon.total ? formatMoney(coupon.total) : "…"}
                </Text>
              </Group>
            )}
            <Button component={Link} to="/checkout" size="md" fullWidth>
              Check out
            </Button>
            {!user && (
              <Alert variant="light" color="sea" icon={<IconInfoCircle aria-hidden />} p="sm">
                <Text size="sm">You are shopping as a guest. At sign-in this cart comes with you.</Text>
              </Alert>
            )}
            <Text size="xs" c="dimmed">
              Kept until {formatDateTime(cart.expiresAt)}, and longer with every change.
            </Text>
          </Stack>
        </Card>
      </div>
    </Stack>
  );
}
