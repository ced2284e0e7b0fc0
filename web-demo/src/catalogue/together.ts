// What is often bought with a product, as far as it can be shown and bought. Knows no React.
import type { BoughtWithQuery } from "../gql/documents";

type Told = NonNullable<
  NonNullable<NonNullable<BoughtWithQuery["product"]>["boughtWith"]>[number]["product"]
>;
export type Companion = Told;

/** Those that are for sale, in the order they were told. */
export function companions(data: BoughtWithQuery | null | undefined): Companion[] {
  const told = data?.product?.boughtWith ?? [];
  return told.flatMap((one) => (one?.product?.status === "ACTIVE" ? [one.product] : []));
}

interface Chosen {
  id: string;
  price: { currencyCode: string };
}

/**
 * What puts both into the cart: the chosen variant and the companion's only one. Null where somebody has to choose
 * first, where it is sold out, or where both are not of one currency, which a cart is.
 */
export function bothLines(
  chosen: Chosen | null,
  companion: Companion,
): { variantId: string; quantity: number }[] | null {
  const [only, ...others] = companion.variants;
  if (!chosen || !only || others.length > 0) return null;
  if (only.price.currencyCode !== chosen.price.currencyCode) return null;
  if (only.availability && only.availability.maxOrderQuantity < 1) return null;
  return [chosen.id, only.id].map((variantId) => ({ variantId, quantity: 1 }));
}
