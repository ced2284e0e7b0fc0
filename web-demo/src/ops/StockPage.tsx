// What is on the shelves, how it moved, and changing it by hand.
import { useMutation, useQuery } from "@apollo/client/react";
import {
  Alert,
  Button,
  Card,
  Code,
  Drawer,
  Group,
  Modal,
  NumberInput,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import { formatDateTime } from "../lib/dates";
import { newId } from "../lib/ids";
import { useSession } from "../session/SessionProvider";
import { AdjustStockDocument, StockDocument, StockLedgerDocument, type StockQuery } from "./documents";
import classes from "./Ops.module.css";
import { inventoryWords, movementWords } from "./words";

const PAGE = 25;
const MOVEMENTS = 50;
const whole = new Intl.NumberFormat();
const signed = new Intl.NumberFormat(undefined, { signDisplay: "exceptZero" });

type Variant = StockQuery["products"]["nodes"][number]["variants"][number];
interface Item {
  variant: Variant;
  title: string;
}

function Adjust({ item, onClose, onDone }: { item: Item; onClose(): void; onDone(): void }) {
  const [adjust, { loading }] = useMutation(AdjustStockDocument);
  const [delta, setDelta] = useState<string | number>(10);
  const [reason, setReason] = useState("");
  const [refused, setRefused] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  // Another figure is another request; the same one sent twice is one.
  const key = useRef({ of: "", id: "" });

  const submit = async () => {
    const of = `${delta}|${reason.trim()}`;
    if (key.current.of !== of) key.current = { of, id: newId() };
    setRefused(null);
    setFault(null);
    try {
      const { data } = await adjust({
        variables: {
          input: {
            sku: item.variant.sku,
            delta: Number(delta),
            reason: reason.trim(),
            idempotencyKey: key.current.id,
          },
        },
      });
      const refusal = data?.adjustStock.userErrors[0];
      if (refusal) setRefused(inventoryWords[refusal.code]);
      else onDone();
    } catch (error) {
      setFault(error);
    }
  };

  return (
    <Modal
      opened
      onClose={onClose}
      title={`Change the stock of ${item.title}`}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Stack>
          <NumberInput
            label="Units"
            description="More than zero receives them; less than zero writes them off."
            allowDecimal={false}
            min={-1_000_000}
            max={1_000_000}
            value={delta}
            onChange={setDelta}
            data-autofocus
          />
          <TextInput
            label="Reason, for the ledger"
            required
            maxLength={200}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {refused && (
            <Alert color="yellow" role="alert">
              {refused}
            </Alert>
          )}
          {fault !== null && <Problem error={fault} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Leave it
            </Button>
            <Button type="submit" loading={loading} disabled={!Number(delta) || !reason.trim()}>
              Change the stock
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Movements({ item, onClose }: { item: Item; onClose(): void }) {
  const { data, loading, error, refetch } = useQuery(StockLedgerDocument, {
    variables: { sku: item.variant.sku, first: MOVEMENTS },
    fetchPolicy: "network-only",
  });
  const nodes = data?.stockMovements?.nodes;
  return (
    <Drawer
      opened
      onClose={onClose}
      title={`Movements of ${item.variant.sku}`}
      position="right"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {loading && !nodes && <Skeleton height={200} />}
      {error && !nodes && <Problem error={error} onRetry={() => void refetch()} />}
      <Stack gap="sm">
        {nodes?.map((move) => (
          <Group key={move.id} justify="space-between" wrap="nowrap" align="flex-start">
            <div>
              <Text size="sm">{movementWords[move.kind]}</Text>
              <Text size="xs" c="dimmed">
                {formatDateTime(move.at)}
                {move.reason && ` · ${move.reason}`}
              </Text>
            </div>
            <Text size="sm" fw={600} className={classes.number ?? ""}>
              {signed.format(move.quantity)}
            </Text>
          </Group>
        ))}
        {nodes?.length === 0 && (
          <Text size="sm" c="dimmed">
            Nothing moved yet.
          </Text>
        )}
      </Stack>
    </Drawer>
  );
}

function Level({ value }: { value: number | undefined }) {
  return (
    <Table.Td ta="right" className={classes.number ?? ""}>
      {value === undefined ? "–" : whole.format(value)}
    </Table.Td>
  );
}

export function StockPage() {
  usePageTitle("Stock");
  const { user } = useSession();
  const [text, setText] = useState("");
  const [searched] = useDebouncedValue(text.trim(), 250);
  const [adjusting, setAdjusting] = useState<Item | null>(null);
  const [looking, setLooking] = useState<Item | null>(null);
  const variables = {
    first: PAGE,
    after: null,
    filter: searched ? { text: searched } : null,
    sort: searched ? ("RELEVANCE" as const) : ("TITLE" as const),
  };
  const more = useNextPage(StockDocument, variables);
  const shown = useRef(0);
  const { data, previousData, error, loading, refetch } = useQuery(StockDocument, {
    variables,
    fetchPolicy: "network-only",
    nextFetchPolicy: "cache-first",
    pollInterval: 8_000,
    // The first page anew would take away those that were asked for after it.
    skipPollAttempt: () => document.hidden || adjusting !== null || shown.current > PAGE,
  });
  const products = (data ?? (loading ? previousData : undefined))?.products;
  useEffect(() => {
    shown.current = products?.nodes.length ?? 0;
  });
  const isAdmin = user?.roles.includes("ADMIN") ?? false;

  return (
    <Card withBorder radius="lg" padding="md">
      <TextInput
        type="search"
        aria-label="Search the stock"
        placeholder="Search products"
        maw={420}
        mb="sm"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {!products && error && !loading && <Problem error={error} onRetry={() => void refetch()} />}
      {!products && loading && <Skeleton height={320} aria-busy />}
      {products?.nodes.length === 0 && (
        <Text size="sm" c="dimmed" py="md">
          Nothing fits.
        </Text>
      )}
      {products && products.nodes.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className={classes.scroll} tabIndex={0} aria-label="Stock">
          <Table miw={760} verticalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Product</Table.Th>
                <Table.Th>SKU</Table.Th>
                <Table.Th ta="right">Available</Table.Th>
                <Table.Th ta="right">Reserved</Table.Th>
                <Table.Th ta="right">Sold</Table.Th>
                <Table.Th>Do</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {products.nodes.flatMap((product) =>
                product.variants.map((variant) => (
                  <Table.Tr key={variant.id} data-sku={variant.sku}>
                    <Table.Td>
                      <Text size="sm">{product.title}</Text>
                      <Text size="xs" c="dimmed">
                        {variant.title}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      <Code>{variant.sku}</Code>
                    </Table.Td>
                    <Level value={variant.stockLevel?.available} />
                    <Level value={variant.stockLevel?.reserved} />
                    <Level value={variant.stockLevel?.sold} />
                    <Table.Td>
                      <Group gap="xs" wrap="nowrap">
                        {isAdmin && (
                          <Button
                            size="xs"
                            variant="light"
                            aria-label={`Adjust ${variant.sku}`}
                            onClick={() => setAdjusting({ variant, title: product.title })}
                          >
                            Adjust
                          </Button>
                        )}
                        <Button
                          size="xs"
                          variant="subtle"
                          aria-label={`Movements of ${variant.sku}`}
                          onClick={() => setLooking({ variant, title: product.title })}
                        >
                          Movements
                        </Button>
                      </Group>
                    </Table.Td>
                  </Table.Tr>
                )),
              )}
            </Table.Tbody>
          </Table>
        </section>
      )}
      <ShowMore more={more} page={products?.pageInfo} />
      {adjusting && (
        <Adjust
          item={adjusting}
          onClose={() => setAdjusting(null)}
          onDone={() => {
            setAdjusting(null);
            void refetch();
          }}
        />
      )}
      {looking && <Movements item={looking} onClose={() => setLooking(null)} />}
    </Card>
  );
}
