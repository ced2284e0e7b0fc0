// The coupons: what each gives, who used it, making one and ending one.
import { useMutation, useQuery } from "@apollo/client/react";
import {
  Alert,
  Badge,
  Button,
  Card,
  Code,
  Group,
  Modal,
  SegmentedControl,
  SimpleGrid,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
} from "@mantine/core";
import { IconTicket } from "@tabler/icons-react";
import { useState } from "react";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import { useSession } from "../session/SessionProvider";
import {
  type Coupon,
  type CouponForm,
  type CouponMistakes,
  EMPTY_FORM,
  givesWords,
  limitWords,
  readForm,
  standing,
  usedWords,
  validWords,
} from "./coupons";
import { CouponsDocument, EndCouponDocument, MakeCouponDocument } from "./documents";
import classes from "./Ops.module.css";
import { StaffAction } from "./StaffAction";
import { staffCouponWords } from "./words";

const PAGE = 50;

function MakeCoupon({ onClose, onDone }: { onClose(): void; onDone(): void }) {
  const [make, { loading }] = useMutation(MakeCouponDocument);
  const [form, setForm] = useState(EMPTY_FORM);
  const [mistakes, setMistakes] = useState<CouponMistakes>({});
  const [refused, setRefused] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);

  const field = (name: Exclude<keyof CouponForm, "kind">) => ({
    value: form[name],
    error: mistakes[name],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setForm((form) => ({ ...form, [name]: value }));
      setMistakes(({ [name]: _mended, ...others }) => others);
    },
  });

  const submit = async () => {
    const read = readForm(form);
    setMistakes(read.mistakes ?? {});
    setRefused(null);
    setFault(null);
    if (!read.input) return;
    try {
      const { data } = await make({ variables: { input: read.input } });
      const refusal = data?.createCoupon.userErrors[0];
      if (refusal) setRefused(staffCouponWords(refusal.code));
      else onDone();
    } catch (error) {
      setFault(error);
    }
  };

  return (
    <Modal
      opened
      onClose={onClose}
      title="Make a coupon"
      size="lg"
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Stack>
          <TextInput
            label="Code"
            description="What people type in: 3 to 32 letters, digits and dashes."
            required
            maxLength={32}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
            {...field("code")}
          />
          <SegmentedControl
            aria-label="What it takes off"
            value={form.kind}
            onChange={(kind) => setForm({ ...form, kind: kind === "amount" ? "amount" : "percent" })}
            data={[
              { value: "percent", label: "A share" },
              { value: "amount", label: "An amount" },
            ]}
          />
          <SimpleGrid cols={{ base: 1, xs: 3 }}>
            {form.kind === "percent" ? (
              <TextInput label="Percent off" required inputMode="numeric" {...field("percent")} />
            ) : (
              <TextInput label="Amount off" required inputMode="decimal" {...field("amount")} />
            )}
            <TextInput label="For carts from" inputMode="decimal" placeholder="any" {...field("minimum")} />
            <TextInput label="Currency" maxLength={3} {...field("currencyCode")} />
            <TextInput label="Orders, at most" inputMode="numeric" placeholder="any" {...field("max")} />
            <TextInput
              label="Each buyer, at most"
              inputMode="numeric"
              placeholder="any"
              {...field("maxPerUser")}
            />
          </SimpleGrid>
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <TextInput
              type="datetime-local"
              label="Good from"
              description="At once when empty"
              {...field("startsAt")}
            />
            <TextInput
              type="datetime-local"
              label="Good until"
              description="For ever when empty"
              {...field("endsAt")}
            />
          </SimpleGrid>
          <Text size="sm" c="dimmed">
            What a coupon gives can't be changed later. It can be ended.
          </Text>
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
            <Button type="submit" loading={loading}>
              Make it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function EndCoupon({ code, onDone }: { code: string; onDone(): void }) {
  const [end] = useMutation(EndCouponDocument);
  return (
    <StaffAction
      label="End now"
      title={`End the coupon ${code}?`}
      color="red"
      words={staffCouponWords}
      onDone={onDone}
      run={async () => (await end({ variables: { input: { code } } })).data?.endCoupon.userErrors}
    >
      From now on nobody can use it. Orders that have it keep their discount.
    </StaffAction>
  );
}

function CouponRow({ coupon, isAdmin, onDone }: { coupon: Coupon; isAdmin: boolean; onDone(): void }) {
  const { label, color, open } = standing(coupon, Date.now());
  const limits = limitWords(coupon);
  return (
    <Table.Tr data-coupon={coupon.code}>
      <Table.Td>
        <Code>{coupon.code}</Code>
      </Table.Td>
      <Table.Td>
        <Text size="sm">{givesWords(coupon)}</Text>
        {limits && (
          <Text size="xs" c="dimmed">
            {limits}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Text size="sm">{validWords(coupon)}</Text>
      </Table.Td>
      <Table.Td ta="right" className={classes.number ?? ""}>
        {usedWords(coupon)}
      </Table.Td>
      <Table.Td>
        <Badge color={color} variant="light" tt="none">
          {label}
        </Badge>
      </Table.Td>
      {isAdmin && <Table.Td>{open && <EndCoupon code={coupon.code} onDone={onDone} />}</Table.Td>}
    </Table.Tr>
  );
}

export function CouponsPage() {
  usePageTitle("Coupons");
  const { user } = useSession();
  const [making, setMaking] = useState(false);
  const variables = { first: PAGE, after: null };
  const more = useNextPage(CouponsDocument, variables);
  const { data, error, loading, refetch } = useQuery(CouponsDocument, {
    variables,
    fetchPolicy: "network-only",
    nextFetchPolicy: "cache-first",
  });
  const coupons = data?.coupons;
  const isAdmin = user?.roles.includes("ADMIN") ?? false;
  const reload = () => void refetch().catch(() => null);

  return (
    <Card withBorder radius="lg" padding="md">
      <Group justify="space-between" mb="sm">
        <Text size="sm" c="dimmed">
          A cancelled order gives its coupon back.
        </Text>
        {isAdmin && (
          <Button size="sm" onClick={() => setMaking(true)}>
            Make a coupon
          </Button>
        )}
      </Group>
      {!coupons && error && !loading && <Problem error={error} onRetry={reload} />}
      {!coupons && loading && <Skeleton height={260} aria-busy />}
      {coupons?.nodes.length === 0 && (
        <Empty icon={<IconTicket size={36} />} title="No coupons yet">
          Shoppers type them in beside their cart.
        </Empty>
      )}
      {coupons && coupons.nodes.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className={classes.scroll} tabIndex={0} aria-label="Coupons">
          <Table miw={820} verticalSpacing={8}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Code</Table.Th>
                <Table.Th>What it gives</Table.Th>
                <Table.Th>Good</Table.Th>
                <Table.Th ta="right">Used</Table.Th>
                <Table.Th>Now</Table.Th>
                {isAdmin && <Table.Th>Do</Table.Th>}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {coupons.nodes.map((coupon) => (
                <CouponRow key={coupon.code} coupon={coupon} isAdmin={isAdmin} onDone={reload} />
              ))}
            </Table.Tbody>
          </Table>
        </section>
      )}
      <ShowMore more={more} page={coupons?.pageInfo} />
      {making && (
        <MakeCoupon
          onClose={() => setMaking(false)}
          onDone={() => {
            setMaking(false);
            reload();
          }}
        />
      )}
    </Card>
  );
}
