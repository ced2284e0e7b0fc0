// The shopper's cart: a guest's by its id, a user's by who they are.
import { useApolloClient, useQuery } from "@apollo/client/react";
import { createContext, type ReactNode, useContext, useMemo, useSyncExternalStore } from "react";
import {
  AddCartLinesDocument,
  ApplyCouponDocument,
  type CartErrorCode,
  type CartPartsFragment,
  ClearCartDocument,
  CreateCartDocument,
  GuestCartDocument,
  RemoveCouponDocument,
  SetCartLineQuantityDocument,
  ViewerCartDocument,
} from "../gql/documents";
import { newId } from "../lib/ids";
import { useSession } from "../session/SessionProvider";
import { guestCart } from "./guestCart";
import { type CouponState, useCoupon } from "./useCoupon";

export type Cart = CartPartsFragment;
export type CartRefusal = { code: CartErrorCode; message: string };
type Payload = { cart?: Cart | null; userErrors: CartRefusal[] } | undefined;

interface CartValue {
  cart: Cart | null;
  loading: boolean;
  error: Error | undefined;
  reload(): Promise<void>;
  /** Each resolves to why it was refused; empty when done. Rejects for faults. */
  add(lines: { variantId: string; quantity: number }[], currencyCode: string): Promise<CartRefusal[]>;
  setQuantity(lineId: string, quantity: number): Promise<CartRefusal[]>;
  clear(): Promise<CartRefusal[]>;
  applyCoupon(code: string): Promise<CartRefusal[]>;
  removeCoupon(): Promise<CartRefusal[]>;
  /** What the cart's coupon does; none without one. */
  coupon: CouponState;
}

const Context = createContext<CartValue | null>(null);

export function CartProvider({ children }: { children: ReactNode }) {
  const client = useApolloClient();
  const { user } = useSession();
  const guestId = useSyncExternalStore(guestCart.subscribe, guestCart.get);

  const viewers = useQuery(ViewerCartDocument, { skip: !user, fetchPolicy: "cache-and-network" });
  const guests = useQuery(GuestCartDocument, {
    skip: Boolean(user) || !guestId,
    variables: { id: guestId ?? "" },
    fetchPolicy: "cache-and-network",
  });
  const query = user ? viewers : guests;
  const found = (user ? viewers.data?.me?.activeCart : guestId ? guests.data?.cart : null) ?? null;
  const cart = found as Cart | null;
  const userId = user?.id;
  const { refetch } = query;
  const coupon = useCoupon(cart);

  const value = useMemo<CartValue>(() => {
    const reload = async () => {
      if (userId || guestId) await refetch();
    };

    const settle = async (payload: Payload): Promise<CartRefusal[]> => {
      const refusals = payload?.userErrors ?? [];
      if (refusals.some((one) => one.code === "VERSION_CONFLICT" || one.code === "LINE_NOT_FOUND"))
        await reload();
      return refusals;
    };

    const create: CartValue["add"] = async (lines, currencyCode) => {
      const { data } = await client.mutate({
        mutation: CreateCartDocument,
        variables: { input: { currencyCode, lines, idempotencyKey: newId() } },
      });
      const made = data?.createCart.cart;
      if (made && userId) await refetch();
      else if (made) guestCart.set(made.id);
      return settle(data?.createCart);
    };

    return {
      cart,
      loading: query.loading && !cart,
      error: cart ? undefined : query.error,
      reload,
      async add(lines, currencyCode) {
        // An empty cart of another currency is no reason to refuse.
        if (!cart || (cart.lines.length === 0 && cart.subtotal.currencyCode !== currencyCode)) {
          return create(lines, currencyCode);
        }
        const { data } = await client.mutate({
          mutation: AddCartLinesDocument,
          variables: { input: { cartId: cart.id, lines, idempotencyKey: newId() } },
        });
        const refusals = await settle(data?.addCartLines);
        return refusals.some((one) => one.code === "CART_NOT_FOUND") ? create(lines, currencyCode) : refusals;
      },
      async setQuantity(lineId, quantity) {
        if (!cart) return [];
        const { data } = await client.mutate({
          mutation: SetCartLineQuantityDocument,
          variables: { input: { cartId: cart.id, lineId, quantity, expectedVersion: cart.version } },
        });
        return settle(data?.setCartLineQuantity);
      },
      async clear() {
        if (!cart) return [];
        const { data } = await client.mutate({
          mutation: ClearCartDocument,
          variables: { input: { cartId: cart.id } },
        });
        return settle(data?.clearCart);
      },
      async applyCoupon(code) {
        if (!cart) return [];
        const { data } = await client.mutate({
          mutation: ApplyCouponDocument,
          variables: { input: { cartId: cart.id, code } },
        });
        return settle(data?.applyCoupon);
      },
      async removeCoupon() {
        if (!cart) return [];
        const { data } = await client.mutate({
          mutation: RemoveCouponDocument,
          variables: { input: { cartId: cart.id } },
        });
        return settle(data?.removeCoupon);
      },
      coupon,
    };
  }, [client, cart, coupon, userId, guestId, refetch, query.loading, query.error]);

  return <Context value={value}>{children}</Context>;
}

export function useCart(): CartValue {
  const value = useContext(Context);
  if (!value) throw new Error("useCart needs a CartProvider");
  return value;
}
