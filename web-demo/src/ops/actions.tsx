// What staff can do to an order.
import { useMutation } from "@apollo/client/react";
import { RefundOrderDocument, RetryOrderDocument, StaffCancelOrderDocument } from "./documents";
import { StaffAction } from "./StaffAction";
import { staffOrderWords } from "./words";

interface OrderActionProps {
  order: { id: string; number: string };
  onDone?(): void;
  size?: "xs" | "sm";
}

export function RetryAction({ order, ...rest }: OrderActionProps) {
  const [retry] = useMutation(RetryOrderDocument);
  return (
    <StaffAction
      {...rest}
      words={staffOrderWords}
      label="Retry now"
      title={`Retry order ${order.number}?`}
      run={async () =>
        (await retry({ variables: { input: { orderId: order.id } } })).data?.retryOrder.userErrors
      }
    >
      The call whose answer is awaited is made again at once, instead of at its next turn. That is safe: it
      carries the key of the first.
    </StaffAction>
  );
}

export function CancelAction({ order, ...rest }: OrderActionProps) {
  const [cancel] = useMutation(StaffCancelOrderDocument);
  return (
    <StaffAction
      {...rest}
      words={staffOrderWords}
      label="Cancel"
      color="red"
      title={`Cancel order ${order.number}?`}
      run={async ({ key }) =>
        (await cancel({ variables: { input: { orderId: order.id, idempotencyKey: key } } })).data?.cancelOrder
          .userErrors
      }
    >
      The payment is called off first, then the stock goes back. Money that arrives all the same is returned.
    </StaffAction>
  );
}

export function RefundAction({ order, ...rest }: OrderActionProps) {
  const [refund] = useMutation(RefundOrderDocument);
  return (
    <StaffAction
      {...rest}
      words={staffOrderWords}
      refund
      label="Refund"
      color="grape"
      title={`Refund order ${order.number}?`}
      run={async ({ key, reason, restock }) =>
        (await refund({ variables: { input: { orderId: order.id, reason, restock, idempotencyKey: key } } }))
          .data?.refundOrder.userErrors
      }
    >
      All of the money that is left goes back to the buyer.
    </StaffAction>
  );
}
