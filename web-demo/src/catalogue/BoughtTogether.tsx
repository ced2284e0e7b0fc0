// What others bought with it. Nobody waits for it: it stands last, and comes when all above has its place.
import { useQuery } from "@apollo/client/react";
import { Button, Stack, Title, VisuallyHidden } from "@mantine/core";
import { IconShoppingCartPlus } from "@tabler/icons-react";
import { usePutInCart } from "../cart/usePutInCart";
import { BoughtWithDocument, type ProductQuery } from "../gql/documents";
import { useReviews } from "../reviews/Reviews";
import classes from "./BoughtTogether.module.css";
import { ProductCard } from "./ProductCard";
import { bothLines, type Companion, companions } from "./together";

const MOST = 4;
const HEADING = "bought-together";

type Product = NonNullable<ProductQuery["product"]>;

interface BoughtTogetherProps {
  product: Product;
  /** The one that is chosen; null where none can be bought. */
  variant: Product["variants"][number] | null;
}

function AddBoth({ product, variant, companion }: BoughtTogetherProps & { companion: Companion }) {
  const { put, busy } = usePutInCart();
  const lines = bothLines(variant, companion);
  if (!variant || !lines) return null;
  return (
    <Button
      fullWidth
      size="compact-sm"
      variant="light"
      loading={busy}
      leftSection={<IconShoppingCartPlus size={16} aria-hidden />}
      onClick={() => void put(lines, variant.price.currencyCode)}
    >
      Add both
      <VisuallyHidden>
        {" "}
        to the cart: {product.title} and {companion.title}
      </VisuallyHidden>
    </Button>
  );
}

export function BoughtTogether({ product, variant }: BoughtTogetherProps) {
  // Not kept: where the part that knows does not answer, the product would be gone from the cache with it.
  const { data } = useQuery(BoughtWithDocument, {
    variables: { slug: product.slug, first: MOST },
    fetchPolicy: "no-cache",
  });
  const { product: reviewed, loading } = useReviews(product.slug, "NEWEST");
  const shown = companions(data as Parameters<typeof companions>[0]);
  if (shown.length === 0 || (loading && !reviewed)) return null;
  return (
    <Stack component="section" aria-labelledby={HEADING} mt="xl">
      <Title order={2} size="h3" id={HEADING}>
        Often bought together
      </Title>
      <div className={classes.shelf}>
        {shown.map((companion) => (
          <ProductCard key={companion.id} product={companion} eager={false} heading="h3">
            <AddBoth product={product} variant={variant} companion={companion} />
          </ProductCard>
        ))}
      </div>
    </Stack>
  );
}
