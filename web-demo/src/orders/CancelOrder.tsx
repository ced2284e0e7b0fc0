import { useMutation } from "@apollo/client/react";
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { Problem } from "../components/Problem";
import { CancelOrderDocument } from "../gql/documents";
import { orderWords } from "../lib/errors";

export function CancelOrder({ orderId, number }: { orderId: string; number: string }) {
  const [opened, dialog] = useDisclosure(false);
  const [cancel, { loading }] = useMutation(CancelOrderDocument);
  const [refused, setRefused] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);

  const confirm = async () => {
    setRefused(null);
    setFault(null);
    try {
      // To cancel an order twice is to cancel it once: its own id names the request.
      const { data } = await cancel({
        variables: { input: { orderId, idempotencyKey: `cancel-${orderId}` } },
      });
      const refusal = data?.cancelOrder.userErrors[0];
      if (refusal) setRefused(orderWords[refusal.code]);
      else dialog.close();
    } catch (error) {
      setFault(error);
    }
  };

  return (
    <>
      <Button variant="light" color="red" onClick={dialog.open}>
        Cancel the order
      </Button>
      <Modal.Root opened={opened} onClose={dialog.close} centered>
        <Modal.Overlay />
        <Modal.Content>
          <Modal.Body pt="md">
            <Stack>
              <Modal.Title fw={700}>Cancel order {number}?</Modal.Title>
              <Text size="sm">
                First the payment is called off, then the stock goes back. If the money arrives all the same,
                it is returned.
              </Text>
              {refused && (
                <Alert color="yellow" role="alert">
                  {refused}
                </Alert>
              )}
              {fault !== null && <Problem error={fault} />}
              <Group justify="flex-end">
                <Button variant="default" onClick={dialog.close}>
                  Keep it
                </Button>
                <Button color="red" loading={loading} onClick={() => void confirm()}>
                  Cancel the order
                </Button>
              </Group>
            </Stack>
          </Modal.Body>
        </Modal.Content>
      </Modal.Root>
    </>
  );
}
