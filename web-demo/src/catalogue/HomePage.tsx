// The shop window: categories, search, facets, order, and a list without end.
import { useQuery } from "@apollo/client/react";
import {
  Box,
  Button,
  CloseButton,
  Group,
  NativeSelect,
  Pill,
  Stack,
  Text,
  Title,
  VisuallyHidden,
} from "@mantine/core";
import { useDisclosure, useIntersection } from "@mantine/hooks";
import { IconAdjustmentsHorizontal, IconMoodEmpty } from "@tabler/icons-react";
import { lazy, Suspense, useEffect } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import {
  CategoriesDocument,
  ProductFacetsDocument,
  type ProductSort,
  ProductsDocument,
} from "../gql/documents";
import { CategoryBar } from "./CategoryBar";
import { readableName } from "./categories";
import { isFiltered, readWanted, SORTS, toFilter, type Wanted, writeWanted } from "./filters";
import classes from "./HomePage.module.css";
import { ProductCard, ProductCardSkeleton } from "./ProductCard";
import { searchedFor } from "./searched";

/** Below the first view or behind a button: not part of what a first visit waits for. */
const Facets = lazy(async () => ({ default: (await import("./Facets")).Facets }));
const FilterDrawer = lazy(async () => ({ default: (await import("./FilterDrawer")).FilterDrawer }));

const PAGE = 24;
const ABOVE_THE_FOLD = 8;
/** In each page of a list, products with a picture come first; a page that is there already never moves. */
function picturesFirst<T extends { imageUrl?: string | null }>(nodes: readonly T[]): T[] {
  const pages = Array.from({ length: Math.ceil(nodes.length / PAGE) }, (_, index) =>
    nodes.slice(index * PAGE, (index + 1) * PAGE),
  );
  return pages.flatMap((page) => [
    ...page.filter((one) => one.imageUrl),
    ...page.filter((one) => !one.imageUrl),
  ]);
}

const PLACEHOLDERS = Array.from({ length: 12 }, (_, index) => `placeholder-${index}`);

function Hero() {
  return (
    <section className={classes.hero} aria-label="Welcome">
      <Title order={1} className={classes.headline}>
        Good things, and every step of your order in plain sight
      </Title>
      <Text className={classes.lead}>
        Put something in the cart, pay with a test card, and watch the shop at work: stock, payment, paid — or
        the whole way back, when something goes wrong.
      </Text>
    </section>
  );
}

function useProducts(wanted: Wanted) {
  const variables = { first: PAGE, filter: toFilter(wanted), sort: wanted.sort };
  const { data, previousData, error, loading, refetch } = useQuery(ProductsDocument, {
    variables,
    fetchPolicy: "cache-and-network",
    nextFetchPolicy: "cache-first",
  });
  const more = useNextPage(ProductsDocument, variables);
  const { first: _, ...counted } = variables;
  const counts = useQuery(ProductFacetsDocument, { variables: counted });
  const overview = (counts.data ?? (counts.loading ? counts.previousData : undefined))?.products;
  // While the next list is on its way the last one stays, so that nothing jumps.
  const list = (data ?? (loading ? previousData : undefined))?.products;
  const after = list?.pageInfo?.endCursor;
  // Of this list alone: what the last one was about says nothing of what is asked now.
  const searched = searchedFor(wanted.text, data?.products.correctedText);

  const loadMore = () => {
    if (after && data) void more.bring(after);
  };
  return {
    list,
    searched,
    overview,
    counting: counts.loading,
    error,
    loading,
    refetch,
    more,
    after,
    loadMore,
  };
}

function Chips({ wanted, onChange }: { wanted: Wanted; onChange(next: Partial<Wanted>): void }) {
  const { data } = useQuery(CategoriesDocument, { fetchPolicy: "cache-only" });
  const name = data?.categories.find((one) => one.id === wanted.categoryId)?.name;
  const category = name && readableName(name);
  const chips: [string, string | null | undefined, Partial<Wanted>][] = [
    ["Search", wanted.text && `“${wanted.text}”`, { text: "" }],
    ["Category", category, { categoryId: null }],
    ["Brand", wanted.brand, { brand: null }],
    ["From", wanted.minPrice, { minPrice: null }],
    ["Up to", wanted.maxPrice, { maxPrice: null }],
  ];
  return (
    <Group gap="xs">
      {chips.map(
        ([name, value, without]) =>
          value && (
            <Pill key={name} size="md" className={classes.chip}>
              {name}: {value}
              <CloseButton
                size="xs"
                variant="transparent"
                aria-label={`Remove ${name.toLowerCase()} ${value}`}
                onClick={() => onChange(without)}
              />
            </Pill>
          ),
      )}
    </Group>
  );
}

export function HomePage() {
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const wanted = readWanted(params);
  const filtered = isFiltered(wanted);
  usePageTitle(wanted.text ? `Search: ${wanted.text}` : "");

  const { list, searched, overview, counting, error, loading, refetch, more, after, loadMore } =
    useProducts(wanted);
  const [filtersOpen, drawer] = useDisclosure(false);
  const { ref: sentinel, entry } = useIntersection({ rootMargin: "900px" });
  const found = list?.nodes ?? [];
  // An order that was asked for is kept.
  const nodes = filtered || wanted.sort !== "RELEVANCE" ? found : picturesFirst(found);
  const hasMore = list?.pageInfo?.hasNextPage ?? false;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each page moves the mark, and is asked for once
  useEffect(() => {
    if (entry?.isIntersecting && hasMore && !more.error) loadMore();
  }, [entry?.isIntersecting, after, loading, more.busy]);

  const change = (next: Partial<Wanted>) => {
    const query = writeWanted({ ...wanted, ...next }).toString();
    void navigate(query ? `/?${query}` : "/", { preventScrollReset: true });
  };

  const facets = (
    <Suspense>
      <Facets facets={overview?.facets ?? []} wanted={wanted} onChange={change} />
    </Suspense>
  );
  const count = overview?.totalCount;

  return (
    <Stack gap="lg">
      {filtered ? <VisuallyHidden component="h1">Products</VisuallyHidden> : <Hero />}
      <CategoryBar wanted={wanted} />
      <Group justify="space-between" gap="sm" align="center">
        <Group gap="sm" mih={36}>
          <Text size="sm" c="dimmed" aria-live="polite">
            {count === undefined
              ? counting && "Looking …"
              : `${count.toLocaleString()} ${count === 1 ? "product" : "products"}`}
          </Text>
          <Chips wanted={wanted} onChange={change} />
        </Group>
        <Group gap="sm" wrap="nowrap">
          <Button
            hiddenFrom="md"
            variant="default"
            leftSection={<IconAdjustmentsHorizontal size={16} aria-hidden />}
            onClick={drawer.open}
          >
            Filter
          </Button>
          <NativeSelect
            aria-label="Order of the list"
            data={SORTS}
            value={wanted.sort}
            onChange={(event) => change({ sort: event.currentTarget.value as ProductSort })}
          />
        </Group>
      </Group>
      {filtersOpen && (
        <Suspense>
          <FilterDrawer onClose={drawer.close}>{facets}</FilterDrawer>
        </Suspense>
      )}
      <div className={classes.columns}>
        <Box component="aside" visibleFrom="md" aria-label="Filter">
          {facets}
        </Box>
        <Stack gap="lg" miw={0}>
          <Text aria-live="polite" hidden={!searched}>
            {searched}
          </Text>
          {error && !list && <Problem error={error} onRetry={() => void refetch()} />}
          {list && nodes.length === 0 && !loading && (
            <Empty
              icon={<IconMoodEmpty size={36} />}
              title="Nothing fits"
              action={
                filtered && (
                  <Button variant="default" onClick={() => void navigate("/")}>
                    Show everything
                  </Button>
                )
              }
            >
              {filtered ? "Try fewer or other words, or take a filter away." : "The shelves are still empty."}
            </Empty>
          )}
          <div
            className={classes.grid}
            aria-busy={loading}
            data-stale={(loading && nodes.length > 0) || undefined}
          >
            {nodes.map((product, index) => (
              <ProductCard key={product.id} product={product} eager={index < ABOVE_THE_FOLD} />
            ))}
            {((!list && loading) || more.busy) &&
              PLACEHOLDERS.map((key) => <ProductCardSkeleton key={key} />)}
          </div>
          {more.error !== null && <Problem error={more.error} onRetry={loadMore} />}
          <div ref={sentinel} />
          {hasMore && !more.busy && (
            <Button variant="subtle" onClick={loadMore} mx="auto">
              Show more
            </Button>
          )}
        </Stack>
      </div>
    </Stack>
  );
}
