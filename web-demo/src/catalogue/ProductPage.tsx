// One product: its variants, what is left of them right now, and what sending would cost.
import { useQuery } from "@apollo/client/react";
import {
  Anchor,
  Breadcrumbs,
  Button,
  Group,
  NumberInput,
  Radio,
  Skeleton,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { IconMapQuestion, IconShoppingCartPlus } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { usePutInCart } from "../cart/usePutInCart";
import { Empty } from "../components/Empty";
import { Picture } from "../components/Picture";
import { Price } from "../components/Price";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import {
  type AvailabilityStatus,
  ProductAvailabilityDocument,
  ProductDocument,
  type ProductQuery,
} from "../gql/documents";
import { formatMoney } from "../lib/money";
import { Reviews, Score } from "../reviews/Reviews";
import { Availability } from "./Availability";
import { BoughtTogether } from "./BoughtTogether";
import { readableName } from "./categories";
import classes from "./ProductPage.module.css";
import { ShippingEstimate } from "./ShippingEstimate";

const LOOK_AGAIN_MS = 8_000;
const MOST = 999;

type Product = NonNullable<ProductQuery["product"]>;

/** What is left, asked for again and again while the page is looked at. */
function useAvailability(slug: string) {
  const { data } = useQuery(ProductAvailabilityDocument, {
    variables: { slug },
    fetchPolicy: "cache-and-network",
    pollInterval: LOOK_AGAIN_MS,
    skipPollAttempt: () => document.hidden,
  });
  return new Map(data?.product?.variants?.map((variant) => [variant?.id, variant?.availability ?? null]));
}

interface AddToCartProps {
  variant: Product["variants"][number];
  most: number;
  quantity: number;
  onQuantity(quantity: number): void;
}

function AddToCart({ variant, most, quantity, onQuantity }: AddToCartProps) {
  const { put, busy } = usePutInCart();
  const soldOut = most < 1;

  return (
    <Group align="flex-end" gap="sm">
      <NumberInput
        label="Quantity"
        w={100}
        min={1}
        max={Math.max(1, most)}
        allowDecimal={false}
        allowNegative={false}
        disabled={soldOut}
        value={quantity}
        onChange={(value) => onQuantity(Math.max(1, Number(value) || 1))}
      />
      <Button
        size="md"
        h={36}
        loading={busy}
        disabled={soldOut}
        leftSection={<IconShoppingCartPlus size={18} aria-hidden />}
        onClick={() =>
          void put(
            [{ variantId: variant.id, quantity: Math.min(quantity, most) }],
            variant.price.currencyCode,
          )
        }
      >
        {soldOut ? "Sold out" : "Put in the cart"}
      </Button>
    </Group>
  );
}

/** The variant that is chosen, or the first that can be bought. */
function useVariant(product: Product) {
  const availability = useAvailability(product.slug);
  const [chosen, setChosen] = useState<string | null>(null);
  const status = (id: string): AvailabilityStatus | null => availability.get(id)?.status ?? null;
  const buyable = product.variants.find((variant) => status(variant.id) !== "OUT_OF_STOCK");
  const variant = product.variants.find((one) => one.id === chosen) ?? buyable ?? product.variants[0] ?? null;
  const known = variant && availability.get(variant.id);
  return { variant, status, choose: setChosen, most: known ? Math.min(MOST, known.maxOrderQuantity) : MOST };
}

interface VariantsProps extends ReturnType<typeof useVariant> {
  product: Product;
}

function Variants({ product, variant, status, choose, most }: VariantsProps) {
  const [quantity, setQuantity] = useState(1);
  if (!variant) return <Text c="dimmed">This can't be bought at the moment.</Text>;

  return (
    <Stack gap="lg">
      <Price price={variant.price} before={variant.compareAtPrice} size="1.8rem" />
      {product.variants.length > 1 && (
        <Radio.Group
          label="Which one?"
          value={variant.id}
          onChange={choose}
          classNames={{ label: classes.groupLabel ?? "" }}
        >
          <div className={classes.variants}>
            {product.variants.map((one) => (
              <Radio.Card key={one.id} value={one.id} className={classes.variant ?? ""} p="sm" radius="md">
                <Group wrap="nowrap" gap="sm" align="flex-start">
                  <Radio.Indicator mt={2} />
                  <div>
                    <Text size="sm" fw={600}>
                      {one.title}
                    </Text>
                    <Text size="xs" c="dimmed" mb={6}>
                      {formatMoney(one.price)}
                    </Text>
                    <Availability status={status(one.id)} size="sm" />
                  </div>
                </Group>
              </Radio.Card>
            ))}
          </div>
        </Radio.Group>
      )}
      {product.variants.length === 1 && (
        <Group gap="xs" mih={22} aria-live="polite">
          <Availability status={status(variant.id)} />
          <Text size="sm" c="dimmed">
            {variant.title}
          </Text>
        </Group>
      )}
      <AddToCart variant={variant} most={most} quantity={quantity} onQuantity={setQuantity} />
      <ShippingEstimate
        slug={product.slug}
        variantId={variant.id}
        quantity={Math.min(quantity, Math.max(1, most))}
      />
      <Text size="xs" c="dimmed">
        {variant.sku}
        {variant.weightGrams ? ` · ${variant.weightGrams.toLocaleString()} g` : ""}
      </Text>
    </Stack>
  );
}

function ProductSkeleton() {
  return (
    <div className={classes.layout} aria-busy>
      <Skeleton radius="lg" className={classes.picture ?? ""} />
      <Stack>
        <Skeleton height={14} width="30%" />
        <Skeleton height={38} width="70%" />
        <Skeleton height={60} />
        <Skeleton height={30} width="25%" />
        <Skeleton height={120} />
        <Skeleton height={36} width="50%" />
      </Stack>
    </div>
  );
}

function Shown({ product }: { product: Product }) {
  const choice = useVariant(product);
  return (
    <Stack>
      <Breadcrumbs aria-label="Where you are" component="nav">
        <Anchor component={Link} to="/" size="sm">
          Shop
        </Anchor>
        <Anchor component={Link} to={`/?category=${encodeURIComponent(product.category.id)}`} size="sm">
          {readableName(product.category.name)}
        </Anchor>
      </Breadcrumbs>
      <div className={classes.layout}>
        <div className={classes.picture}>
          <Picture
            src={product.imageUrl}
            title={product.title}
            category={product.category.name}
            decorative={false}
            eager
          />
        </div>
        <Stack gap="md">
          <div>
            {product.brand && (
              <Anchor component={Link} to={`/?brand=${encodeURIComponent(product.brand)}`} size="sm">
                {product.brand}
              </Anchor>
            )}
            <Title order={1}>{product.title}</Title>
            <Score slug={product.slug} />
          </div>
          {product.description && <Text style={{ whiteSpace: "pre-line" }}>{product.description}</Text>}
          <Variants product={product} {...choice} />
        </Stack>
      </div>
      <Reviews slug={product.slug} productId={product.id} />
      <BoughtTogether product={product} variant={choice.most < 1 ? null : choice.variant} />
    </Stack>
  );
}

export function ProductPage() {
  const { slug = "" } = useParams();
  const { data, loading, error, refetch } = useQuery(ProductDocument, { variables: { slug } });
  const product = (data?.product ?? null) as Product | null;
  usePageTitle(product?.title ?? "Product");

  if (!product && loading) return <ProductSkeleton />;
  if (!product && error) return <Problem error={error} onRetry={() => void refetch()} />;
  if (!product) {
    return (
      <Empty
        icon={<IconMapQuestion size={36} />}
        title="We don't have this"
        action={
          <Button component={Link} to="/">
            To the shop
          </Button>
        }
      >
        It may no longer be for sale.
      </Empty>
    );
  }
  return <Shown key={product.id} product={product} />;
}
