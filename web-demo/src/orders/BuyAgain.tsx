import { Button } from "@mantine/core";
import { IconShoppingCartPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useCart } from "../cart/CartProvider";
import { notifyFault, notifyRefused } from "../components/failure";
import { cartWords } from "../lib/errors";

interface BuyAgainProps {
  lines: readonly { quantity: number; variant?: { id: string } | null }[];
  currencyCode: string;
}

/** Fills the cart with what an order was for, without doubling what is there already. */
export function BuyAgain({ lines, currencyCode }: BuyAgainProps) {
  const { cart, add } = useCart();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);

  const again = async () => {
    const there = new Map(cart?.lines.map((line) => [line.variant?.id, line.quantity]));
    const missing = lines.flatMap(({ variant, quantity }) => {
      const wanted = variant ? quantity - (there.get(variant.id) ?? 0) : 0;
      return variant && wanted > 0 ? [{ variantId: variant.id, quantity: wanted }] : [];
    });
    setBusy(true);
    try {
      const [refusal] = missing.length > 0 ? await add(missing, currencyCode) : [];
      if (refusal) notifyRefused(cartWords[refusal.code]);
      else await navigate("/cart");
    } catch (error) {
      notifyFault(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Button
      variant="light"
      loading={busy}
      leftSection={<IconShoppingCartPlus size={18} aria-hidden />}
      onClick={() => void again()}
    >
      Put it in the cart again
    </Button>
  );
}
