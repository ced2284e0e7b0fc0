// A coupon: typed in, shown with what it takes off, and taken out again.
import { Alert, Button, CloseButton, Group, Loader, Stack, Text, TextInput } from "@mantine/core";
import { IconTicket } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { TEST_COUPON } from "../checkout/cards";
import { notifyFault, notifyRefused } from "../components/failure";
import { Problem } from "../components/Problem";
import { cartWords, couponWords } from "../lib/errors";
import { formatMoney } from "../lib/money";
import { useCart } from "./CartProvider";
import classes from "./CouponField.module.css";

function CouponForm() {
  const { applyCoupon } = useCart();
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!code.trim() || busy) return;
    setBusy(true);
    setRefused(null);
    try {
      const [refusal] = await applyCoupon(code);
      if (refusal) setRefused(cartWords[refusal.code]);
    } catch (error) {
      notifyFault(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)}>
      <div className={classes.form}>
        <TextInput
          label="Coupon"
          placeholder={`Such as ${TEST_COUPON.code}`}
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          maxLength={32}
          value={code}
          error={refused}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={busy} mt={25}>
          Apply
        </Button>
      </div>
    </form>
  );
}

function Applied({ code }: { code: string }) {
  const { coupon, removeCoupon } = useCart();
  const [busy, setBusy] = useState(false);
  const known = coupon.coupon;

  const remove = async () => {
    setBusy(true);
    try {
      const [refusal] = await removeCoupon();
      if (refusal) notifyRefused(cartWords[refusal.code]);
    } catch (error) {
      notifyFault(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Stack gap="xs">
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Group gap={6} wrap="nowrap" className={classes.code ?? ""}>
          <IconTicket size={18} aria-hidden style={{ flexShrink: 0 }} />
          <Text size="sm" fw={600} truncate>
            {code}
          </Text>
          <CloseButton
            size="sm"
            disabled={busy}
            aria-label={`Remove the coupon ${code}`}
            onClick={() => void remove()}
          />
        </Group>
        {coupon.loading && <Loader size="xs" aria-label="Asking what the coupon takes off" />}
        {known && !known.problem && (
          <Text size="sm" fw={600} className={classes.amount ?? ""} aria-live="polite" data-discount>
            −{formatMoney(known.discount)}
          </Text>
        )}
      </Group>
      {known?.problem && (
        <Alert color="yellow" role="alert" p="sm">
          <Text size="sm">{couponWords[known.problem]} Remove it to order without it.</Text>
        </Alert>
      )}
      {coupon.error !== null && <Problem error={coupon.error} onRetry={coupon.retry} />}
    </Stack>
  );
}

/** The cart's coupon, or where to type one in. */
export function CouponField() {
  const { cart } = useCart();
  if (!cart) return null;
  return cart.couponCode ? <Applied code={cart.couponCode} /> : <CouponForm />;
}
