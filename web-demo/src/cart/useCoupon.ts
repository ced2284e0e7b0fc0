// What a cart's coupon takes off, asked anew for every version of the cart.
import { useApolloClient } from "@apollo/client/react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { CartCouponDocument, type CartCouponQuery, type CartPartsFragment } from "../gql/documents";
import type { Money } from "../lib/money";
import { useSession } from "../session/SessionProvider";

export type Coupon = NonNullable<NonNullable<CartCouponQuery["cart"]>["coupon"]>;

export interface CouponState {
  coupon: Coupon | null;
  /** Whether it is being asked for. */
  loading: boolean;
  error: unknown;
  retry(): void;
  /** What is to be paid for the cart; null while that is not known. */
  total: Money | null;
}

type Answer = { of: string; coupon: Coupon | null; error: unknown };

/** Names what an answer is about: an answer about another version or another person is none. */
const about = (cart: CartPartsFragment, userId: string | undefined) =>
  [cart.id, cart.version, userId ?? ""].join(" ");

export function useCoupon(cart: CartPartsFragment | null): CouponState {
  const client = useApolloClient();
  const { user } = useSession();
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [tries, setTries] = useState(0);
  const retry = useCallback(() => setTries((tries) => tries + 1), []);
  const of = cart?.couponCode ? about(cart, user?.id) : null;
  const id = cart?.id;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a retry asks the same again
  useEffect(() => {
    if (!of || !id) return;
    let current = true;
    setAnswer((known) => (known?.of === of && !known.error ? known : null));
    const settle = (coupon: Coupon | null, error: unknown) => current && setAnswer({ of, coupon, error });
    client.query({ query: CartCouponDocument, variables: { id }, fetchPolicy: "no-cache" }).then(
      ({ data, error }) => {
        const coupon = data?.cart?.coupon ?? null;
        settle(coupon, coupon ? null : (error ?? new Error("the cart has no coupon any more")));
      },
      (error) => settle(null, error),
    );
    return () => {
      current = false;
    };
  }, [client, of, id, tries]);

  return useMemo(() => {
    const known = of && answer?.of === of ? answer : null;
    const coupon = known?.coupon ?? null;
    const total = of ? (coupon?.total ?? null) : (cart?.subtotal ?? null);
    return { coupon, loading: Boolean(of) && !known, error: known?.error ?? null, retry, total };
  }, [of, answer, cart?.subtotal, retry]);
}
