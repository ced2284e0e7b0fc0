// What was sent to an endpoint, or is to be.
import { useMutation } from "@apollo/client/react";
import { Anchor, Badge, Code, Table, Text } from "@mantine/core";
import { Link } from "react-router";
import { formatDateTime } from "../lib/dates";
import { RedeliverWebhookDocument, type WebhookDeliveriesQuery } from "./documents";
import classes from "./Ops.module.css";
import { SendAgain } from "./SendAgain";
import { deliveryWords, hasEnded, kindWords, lastWords, webhookWords } from "./webhooks";
import { attemptWords } from "./words";

type Row = NonNullable<WebhookDeliveriesQuery["webhookEndpoint"]>["deliveries"]["nodes"][number];

function Again({ id, onDone }: { id: string; onDone(): void }) {
  const [redeliver] = useMutation(RedeliverWebhookDocument);
  const send = async () => {
    const { data } = await redeliver({ variables: { input: { deliveryId: id } } });
    const refusal = data?.redeliverWebhook.userErrors[0];
    return refusal && webhookWords[refusal.code];
  };
  return <SendAgain send={send} onDone={onDone} />;
}

function DeliveryRow({ row, onSent }: { row: Row; onSent(): void }) {
  const { label, color } = deliveryWords[row.state];
  const last = lastWords(row);
  return (
    <Table.Tr data-delivery={row.id} data-state={row.state}>
      <Table.Td>
        <Text size="sm">{kindWords(row.eventType)}</Text>
        <Code fz="xs">{row.eventType}</Code>
      </Table.Td>
      <Table.Td>
        <Badge color={color} variant="light" tt="none">
          {label}
        </Badge>
        <Text size="xs" c="dimmed" mt={2}>
          {attemptWords(row.attempts)}
        </Text>
        {row.nextTryAt && row.attempts > 0 && (
          <Text size="xs" c="dimmed">
            next {formatDateTime(row.nextTryAt)}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        {row.order && (
          <Anchor component={Link} to={`/ops/orders/${row.order.id}`} size="sm">
            {row.order.number}
          </Anchor>
        )}
      </Table.Td>
      <Table.Td>
        <Text size="sm">{formatDateTime(row.createdAt)}</Text>
      </Table.Td>
      <Table.Td>
        {last && (
          <Text size="xs" className={classes.long ?? ""} lineClamp={4}>
            {last}
          </Text>
        )}
      </Table.Td>
      <Table.Td>{hasEnded(row) && <Again id={row.id} onDone={onSent} />}</Table.Td>
    </Table.Tr>
  );
}

export function WebhookDeliveries({ deliveries, onSent }: { deliveries: readonly Row[]; onSent(): void }) {
  if (deliveries.length === 0) {
    return (
      <Text size="sm" c="dimmed" py="lg" ta="center">
        None of these. With the next event, or with a test, there is one.
      </Text>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={classes.scroll} tabIndex={0} aria-label="List of deliveries">
      <Table miw={820} verticalSpacing={8} layout="fixed">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What</Table.Th>
            <Table.Th w={150}>Now</Table.Th>
            <Table.Th w={100}>Order</Table.Th>
            <Table.Th w={130}>Since</Table.Th>
            <Table.Th>Last answer</Table.Th>
            <Table.Th w={120}>Do</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {deliveries.map((row) => (
            <DeliveryRow key={row.id} row={row} onSent={onSent} />
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
