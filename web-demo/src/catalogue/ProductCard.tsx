import { Skeleton, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { Picture } from "../components/Picture";
import { Price } from "../components/Price";
import type { ProductCardPartsFragment } from "../gql/documents";
import { priceRange } from "../lib/money";
import { readableName } from "./categories";
import classes from "./ProductCard.module.css";

interface ProductCardProps {
  product: ProductCardPartsFragment;
  eager: boolean;
  heading?: "h2" | "h3";
  /** What else can be done with it, below all the card says. */
  children?: ReactNode;
}

export function ProductCard({ product, eager, heading: Heading = "h2", children }: ProductCardProps) {
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
        <Heading className={classes.title}>
          <Link to={`/p/${product.slug}`} className={classes.link}>
            {product.title}
          </Link>
        </Heading>
        {range && <Price price={range.from} from={range.varies} before={cheapest?.compareAtPrice} />}
      </div>
      {children && <div className={classes.action}>{children}</div>}
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
