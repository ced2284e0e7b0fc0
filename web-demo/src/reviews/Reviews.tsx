// What buyers say of a product, and what the viewer has to say.
import { useQuery } from "@apollo/client/react";
import { Anchor, Card, Group, NativeSelect, Rating, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import {
  OwnReviewDocument,
  ProductReviewsDocument,
  type ReviewPartsFragment,
  type ReviewSort,
} from "../gql/documents";
import { formatDateTime } from "../lib/dates";
import { useSession } from "../session/SessionProvider";
import { OwnReview } from "./OwnReview";

const PAGE = 5;
const SORTS: { value: ReviewSort; label: string }[] = [
  { value: "NEWEST", label: "Newest first" },
  { value: "HIGHEST", label: "Best first" },
  { value: "LOWEST", label: "Worst first" },
];
/** Where the page's list of reviews begins. */
const ANCHOR = "reviews";

/** Stars, with their number for who does not see them. */
export function Stars({ rating }: { rating: number }) {
  return (
    <span
      role="img"
      aria-label={`${rating.toLocaleString(undefined, { maximumFractionDigits: 1 })} of 5 stars`}
    >
      <Rating value={rating} fractions={4} readOnly aria-hidden size="sm" />
    </span>
  );
}

/** A page of reviews, and those that follow. */
export function useReviews(slug: string, sort: ReviewSort) {
  const variables = { slug, first: PAGE, sort };
  // Three parts of a product's page ask for it at once.
  const asked = useQuery(ProductReviewsDocument, { variables, context: { queryDeduplication: true } });
  return { ...asked, product: asked.data?.product, more: useNextPage(ProductReviewsDocument, variables) };
}

/** The average, below the product's name; its place stays empty without a review, so that nothing moves. */
export function Score({ slug }: { slug: string }) {
  const { product } = useReviews(slug, "NEWEST");
  const count = product?.reviewCount ?? 0;
  return (
    <Group gap="xs" mih={24}>
      {product?.averageRating && <Stars rating={product.averageRating} />}
      {count > 0 && (
        <Anchor href={`#${ANCHOR}`} size="sm">
          {count === 1 ? "1 review" : `${count.toLocaleString()} reviews`}
        </Anchor>
      )}
    </Group>
  );
}

/** A review as everybody sees it. */
export function ReviewText({ review }: { review: ReviewPartsFragment }) {
  return (
    <Stack gap={6}>
      <Group gap="xs">
        <Stars rating={review.rating} />
        <Text fw={600}>{review.title}</Text>
      </Group>
      <Text style={{ whiteSpace: "pre-line", overflowWrap: "anywhere" }}>{review.body}</Text>
      <Text size="xs" c="dimmed">
        {formatDateTime(review.createdAt)}
        {review.editedAt && ` · changed ${formatDateTime(review.editedAt)}`} · bought here
      </Text>
    </Stack>
  );
}

export function Reviews({ slug, productId }: { slug: string; productId: string }) {
  const { user } = useSession();
  const [sort, setSort] = useState<ReviewSort>("NEWEST");
  const { product, loading, error, refetch, more } = useReviews(slug, sort);
  const list = product?.reviews;
  // It stands above the others already, where it is asked for.
  const { data: mine } = useQuery(OwnReviewDocument, {
    variables: { slug },
    fetchPolicy: "cache-only",
    skip: !user,
  });
  const own = mine?.product?.viewerReview;

  return (
    <Stack component="section" aria-labelledby={ANCHOR} mt="xl" maw={760}>
      <Group justify="space-between" align="flex-end">
        <Title order={2} size="h3" id={ANCHOR}>
          What buyers say
        </Title>
        {(product?.reviewCount ?? 0) > 1 && (
          <NativeSelect
            size="sm"
            aria-label="Sort reviews"
            data={SORTS}
            value={sort}
            onChange={(event) => setSort(event.currentTarget.value as ReviewSort)}
          />
        )}
      </Group>
      {user && <OwnReview slug={slug} productId={productId} />}
      {!list && loading && <Skeleton height={80} radius="lg" />}
      {!list && error && <Problem error={error} onRetry={() => void refetch()} />}
      {list?.nodes.length === 0 && <Text c="dimmed">Nobody has reviewed this yet.</Text>}
      {list?.nodes
        .filter((review) => review.id !== own?.id)
        .map((review) => (
          <Card key={review.id} withBorder radius="lg" padding="md" component="article">
            <ReviewText review={review} />
          </Card>
        ))}
      <ShowMore more={more} page={list?.pageInfo}>
        Show more reviews
      </ShowMore>
    </Stack>
  );
}
