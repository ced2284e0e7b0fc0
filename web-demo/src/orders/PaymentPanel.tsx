import { useQuery } from "@apollo/client/react";
import { Card, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useEffect } from "react";
import { OrderPaymentDocument } from "../gql/documents";
import { formatMoney, isZero } from "../lib/money";
import { declineWords, paymentWords, refundWords } from "./words";

/** What the payment service knows; asked again with every step of the order. */
export function PaymentPanel({ orderId, version }: { orderId: string; version: number }) {
  const { data, loading, refetch } = useQuery(OrderPaymentDocument, {
    variables: { id: orderId },
    fetchPolicy: "cache-and-network",
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a step of the order is the reason to look again
  useEffect(() => {
    const timer = setTimeout(() => void refetch().catch(() => null), 250);
    return () => clearTimeout(timer);
  }, [version]);

  const order = data?.order;
  const payment = order?.payment;
  return (
    <Card withBorder radius="lg" padding="lg">
      <Title order={2} size="h4" mb="sm">
        Payment
      </Title>
      {!order && loading && <Skeleton height={50} />}
      {order && !payment && (
        <Text size="sm" c="dimmed">
          No payment was started yet.
        </Text>
      )}
      {!order && !loading && (
        <Text size="sm" c="dimmed">
          The payment can't be shown right now. The order itself is not touched by that.
        </Text>
      )}
      {payment?.status && (
        <Stack gap={6} mih={50}>
          <Group justify="space-between">
            <Text size="sm">{paymentWords[payment.status]}</Text>
            {payment.amount && <Text fw={600}>{formatMoney(payment.amount)}</Text>}
          </Group>
          {payment.declineCode && (
            <Text size="sm" c="dimmed">
              Because {declineWords(payment.declineCode)}.
            </Text>
          )}
          {payment.refunds?.map((refund) => (
            <Group key={refund.id} justify="space-between">
              <Text size="sm" c="dimmed">
                Refund, {refundWords[refund.status]}
              </Text>
              <Text size="sm">−{formatMoney(refund.amount)}</Text>
            </Group>
          ))}
          {order?.amountDue && !isZero(order.amountDue) && (
            <Group justify="space-between">
              <Text size="sm" c="dimmed">
                Still due
              </Text>
              <Text size="sm">{formatMoney(order.amountDue)}</Text>
            </Group>
          )}
        </Stack>
      )}
    </Card>
  );
}
