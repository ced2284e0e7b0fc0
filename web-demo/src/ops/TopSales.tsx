// What sold best. Titles come from the catalogue: without it the figures above stay.
import { Anchor, Card, Skeleton, Table, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { readableName } from "../catalogue/categories";
import { Problem } from "../components/Problem";
import { formatMoney } from "../lib/money";
import { TopSalesDocument, type TopSalesQuery } from "./documents";
import { whole } from "./figures";
import classes from "./Ops.module.css";
import type { Range } from "./sales";
import { useLastRead } from "./useLastRead";

const MOST = 10;
const GONE = "No longer in the shop";

type Top = NonNullable<TopSalesQuery["salesReport"]>;
type Row = {
  id: string;
  name: string;
  /** Nothing where the shop shows it no more. */
  to: string | null;
  units: number;
  sales: Top["topProducts"][number]["sales"];
};

function Best({ title, rows }: { title: string; rows: Row[] }) {
  return (
    <Card withBorder radius="lg" padding="md" component="section" aria-label={title}>
      <Title order={2} size="h6" mb="xs">
        {title}
      </Title>
      {rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing was sold in this time.
        </Text>
      ) : (
        <Table verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>What</Table.Th>
              <Table.Th ta="right" className={classes.number ?? ""}>
                Units
              </Table.Th>
              <Table.Th ta="right" className={classes.number ?? ""}>
                Sales
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(({ id, name, to, units, sales }) => (
              <Table.Tr key={id}>
                <Table.Td>
                  {to === null ? (
                    <Text size="sm" c="dimmed">
                      {name}
                    </Text>
                  ) : (
                    <Anchor component={Link} to={to} size="sm">
                      {name}
                    </Anchor>
                  )}
                </Table.Td>
                <Table.Td ta="right" className={classes.number ?? ""}>
                  {whole.format(units)}
                </Table.Td>
                <Table.Td ta="right" className={classes.number ?? ""}>
                  {formatMoney(sales)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}

interface TopSalesProps {
  variables: Range & { currency: string };
  /** The figures could not be read either, which is said already. */
  isSaid: boolean;
}

export function TopSales({ variables, isSaid }: TopSalesProps) {
  const asked = { ...variables, first: MOST };
  const { seen, isOther, loading, error, again } = useLastRead(TopSalesDocument, asked);
  const top = seen?.data.salesReport;

  if (!top && loading) {
    return (
      <div className={classes.charts} aria-busy>
        <Skeleton height={240} radius="lg" />
        <Skeleton height={240} radius="lg" />
      </div>
    );
  }
  if (!top) return error !== null && !isSaid ? <Problem error={error} onRetry={again} /> : null;
  return (
    <div className={`${classes.charts} ${classes.best} ${classes.read}`} data-stale={isOther || undefined}>
      <Best
        title="Products that sold best"
        rows={top.topProducts.map(({ product, units, sales }, place) => ({
          id: product?.id ?? `${place}`,
          name: product?.title ?? GONE,
          to: product ? `/p/${product.slug}` : null,
          units,
          sales,
        }))}
      />
      <Best
        title="Categories that sold best"
        rows={top.topCategories.map(({ category, units, sales }, place) => ({
          id: category?.id ?? `${place}`,
          name: category ? readableName(category.name) : GONE,
          to: category ? `/?category=${encodeURIComponent(category.id)}` : null,
          units,
          sales,
        }))}
      />
    </div>
  );
}
