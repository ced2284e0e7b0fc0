import { Skeleton, Text } from "@mantine/core";
import { Link } from "react-router";
import { Picture } from "../components/Picture";
import { Price } from "../components/Price";
import type { ProductCardPartsFragment } from "../gql/documents";
import { priceRange } from "../lib/money";
import { readableName } from "./categories";
import classes from "./ProductCard.module.css";

export function ProductCard({ product, eager }: { product: ProductCardPartsFragment; eager: boolean }) {
  const range = priceRange(product.variants.map((variant) => variant.price));
  const cheapest = product.variants.find((variant) => variant.price === range?.from);
  return (
    <article className={classes.card}>
      <div className={classes.picture}>
        <Picture
          src={product.imageUrl}
          title={product.title}
          category={product.category.name}
          eager={eager}
        />
      </div>
      <div className={classes.text}>
        <Text size="xs" c="dimmed" truncate>
          {product.brand ?? readableName(product.category.name)}
        </Text>
        <h2 className={classes.title}>
          <Link to={`/p/${product.slug}`} className={classes.link}>
            {product.title}
          </Link>
        </h2>
        {range && <Price price={range.from} from={range.varies} before={cheapest?.compareAtPrice} />}
      </div>
    </article>
  );
}

export function ProductCardSkeleton() {
  return (
    <div className={classes.card} aria-hidden>
      <div className={classes.picture}>
        <Skeleton height="100%" radius={0} />
      </div>
      <div className={classes.text}>
        <Skeleton height={10} width="40%" my={4} />
        <Skeleton height={14} width="80%" my={5} />
        <Skeleton height={14} width="30%" my={5} />
      </div>
    </div>
  );
}
