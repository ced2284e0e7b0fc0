// A part of an order's money sent back: for lines that came back, or as an amount.
import { useMutation, useQuery } from "@apollo/client/react";
import {
  Alert,
  Button,
  Checkbox,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useRef, useState } from "react";
import { Problem } from "../components/Problem";
import { newId } from "../lib/ids";
import { formatMoney, type Money } from "../lib/money";
import { RefundAmountDocument, ReturnLinesDocument, ReturnPreviewDocument } from "./documents";
import { chosenLines, type LineForms, left, type ReturnableLine, readRefund } from "./returns";
import { staffOrderWords } from "./words";

interface Returnable {
  id: string;
  number: string;
  lines: readonly ReturnableLine[];
  returnableAmount: Money | null;
}

function LinesForm({
  lines,
  forms,
  onChange,
}: {
  lines: readonly ReturnableLine[];
  forms: LineForms;
  onChange(forms: LineForms): void;
}) {
  return lines.map((line) => {
    const form = forms[line.id] ?? { quantity: 0, restock: true };
    const most = left(line);
    return (
      <Group key={line.id} align="flex-end" wrap="nowrap" gap="sm">
        <NumberInput
          label={`${line.title} (${line.sku})`}
          description={most === 0 ? "All of it came back" : `At most ${most}`}
          min={0}
          max={most}
          disabled={most === 0}
          allowDecimal={false}
          value={form.quantity}
          onChange={(quantity) =>
            onChange({ ...forms, [line.id]: { ...form, quantity: Number(quantity) || 0 } })
          }
          flex={1}
        />
        <Checkbox
          label="Back on the shelf"
          aria-label={`${line.title}: back on the shelf`}
          checked={form.restock}
          disabled={most === 0}
          onChange={(event) =>
            onChange({ ...forms, [line.id]: { ...form, restock: event.currentTarget.checked } })
          }
          mb={8}
        />
      </Group>
    );
  });
}

/** What the server would send back for these lines; it knows what was paid for them. */
function Preview({ orderId, lines }: { orderId: string; lines: ReturnType<typeof chosenLines> }) {
  const [asked] = useDebouncedValue(lines, 200);
  const { data, loading } = useQuery(ReturnPreviewDocument, {
    variables: { id: orderId, lines: asked },
    skip: asked.length === 0,
    fetchPolicy: "network-only",
  });
  if (lines.length === 0) return <Text size="sm">Choose what came back.</Text>;
  const preview = data?.order?.returnPreview;
  return (
    <Text size="sm" aria-live="polite">
      {preview && !loading ? `${formatMoney(preview)} goes back to the buyer.` : "Working out the amount…"}
    </Text>
  );
}

function ReturnDialog({ order, onClose, onDone }: { order: Returnable; onClose(): void; onDone(): void }) {
  const [returnLines] = useMutation(ReturnLinesDocument);
  const [refundAmount] = useMutation(RefundAmountDocument);
  const [kind, setKind] = useState<"lines" | "amount">("lines");
  const [forms, setForms] = useState<LineForms>({});
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const [mistake, setMistake] = useState<string | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  // One for all attempts at the same input, so that a lost answer can be asked for again.
  const key = useRef({ of: "", key: "" });
  const lines = chosenLines(order.lines, forms);

  const submit = async () => {
    const most = order.returnableAmount;
    const read = kind === "amount" && most ? readRefund(text, most) : null;
    setMistake(read?.mistake ?? null);
    setRefused(null);
    setFault(null);
    if (kind === "amount" ? !read?.amount : lines.length === 0) return;
    const what = JSON.stringify([kind, lines, read?.amount, reason]);
    if (key.current.of !== what) key.current = { of: what, key: newId() };
    const common = { orderId: order.id, reason: reason.trim(), idempotencyKey: key.current.key };
    setBusy(true);
    try {
      const errors = read?.amount
        ? (await refundAmount({ variables: { input: { ...common, amount: read.amount } } })).data
            ?.refundAmount.userErrors
        : (await returnLines({ variables: { input: { ...common, lines } } })).data?.returnLines.userErrors;
      const refusal = errors?.[0];
      if (refusal) setRefused(staffOrderWords(refusal.code));
      else onDone();
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Modal
      opened
      onClose={onClose}
      title={`Return a part of order ${order.number}`}
      size="lg"
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
          <SegmentedControl
            aria-label="What goes back"
            value={kind}
            onChange={(value) => setKind(value === "amount" ? "amount" : "lines")}
            data={[
              { value: "lines", label: "Lines that came back" },
              { value: "amount", label: "An amount" },
            ]}
          />
          {kind === "lines" ? (
            <>
              <LinesForm lines={order.lines} forms={forms} onChange={setForms} />
              <Preview orderId={order.id} lines={lines} />
            </>
          ) : (
            <TextInput
              label="Amount"
              description={order.returnableAmount && `At most ${formatMoney(order.returnableAmount)}`}
              inputMode="decimal"
              required
              error={mistake}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
          )}
          <TextInput
            label="Reason, for the record"
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
            <Button
              type="submit"
              color="grape"
              loading={busy}
              disabled={kind === "lines" && lines.length === 0}
            >
              Send it back
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

export function ReturnAction({ order, onDone }: { order: Returnable; onDone(): void }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="sm" variant="light" color="grape" onClick={() => setOpen(true)}>
        Return a part
      </Button>
      {open && (
        <ReturnDialog
          order={order}
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            onDone();
          }}
        />
      )}
    </>
  );
}
