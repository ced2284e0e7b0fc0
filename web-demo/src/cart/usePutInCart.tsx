// Putting something in the cart, and saying what came of it.
import { Anchor } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { notifyFault, notifyRefused } from "../components/failure";
import { cartWords } from "../lib/errors";
import { useCart } from "./CartProvider";

interface Line {
  variantId: string;
  quantity: number;
}

export function usePutInCart() {
  const { add } = useCart();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);

  const put = async (lines: Line[], currencyCode: string) => {
    setBusy(true);
    try {
      const [refusal] = await add(lines, currencyCode);
      if (refusal) {
        notifyRefused(cartWords[refusal.code]);
      } else {
        const note = notifications.show({
          closeButtonProps: { "aria-label": "Dismiss" },
          color: "teal",
          icon: <IconCheck size={18} aria-hidden />,
          title: "In your cart",
          message: (
            <Anchor
              component="button"
              size="sm"
              onClick={() => {
                notifications.hide(note);
                void navigate("/cart");
              }}
            >
              To the cart
            </Anchor>
          ),
        });
      }
    } catch (error) {
      notifyFault(error);
    } finally {
      setBusy(false);
    }
  };
  return { put, busy };
}
