// What people are told of their orders, in words.
import type { NotificationKind } from "../gql/documents";
import { open, spelled } from "../lib/words";

const WORDS: Record<NotificationKind, string> = {
  ORDER_RECEIVED: "An order was placed",
  ORDER_PAID: "It is paid",
  ORDER_CANCELLED: "It was cancelled",
  ORDER_SHIPPED: "It is on its way",
  ORDER_DELIVERED: "It has arrived",
  REFUND_COMPLETED: "Money went back",
};

/** In the order in which they happen. */
export const NOTICE_KINDS = Object.keys(WORDS) as NotificationKind[];

export const noticeKindWords: Record<NotificationKind, string> = open(WORDS, spelled);
