/** What orders tell: who bought which product, and whether it still counts. The events may come in any order. */

import { z } from "zod";
import type { Message } from "../kit/events/message.ts";
import { DeadEvent } from "../kit/events/worker.ts";
import { readId } from "../kit/id.ts";
import type { Executor } from "../kit/pg/pool.ts";
import { noteProducts, noteStatus } from "../store/orders.ts";

/** The queue, which is also the consumer's name in the inbox. */
export const QUEUE = {
  queue: "review.order-events",
  bindings: [
    ["order.events", "order.created.v1"],
    ["order.events", "order.status_changed.v1"],
  ],
} as const;

function id(prefix: "ord" | "usr" | "prod") {
  return z.string().transform((text, context) => {
    const uuid = readId(prefix, text);
    if (uuid === undefined) context.addIssue(`not a ${prefix}_ id`);
    return uuid ?? z.NEVER;
  });
}

/** Of `order.created.v1` what is needed here; a new member is no reason to refuse it. */
const Created = z.object({
  order_id: id("ord"),
  user_id: id("usr"),
  lines: z.array(z.object({ product_id: id("prod") })),
});

/** Of `order.status_changed.v1`. A status that is not known yet is text like any other. */
const StatusChanged = z.object({
  order_id: id("ord"),
  user_id: id("usr"),
  sequence: z.int().positive(),
  status: z.string().regex(/^[A-Z_]{1,40}$/),
});

/** Applies one event. One of another type is no error: the exchange may carry more than was asked for. */
export async function noteOrder(tx: Executor, message: Message): Promise<void> {
  switch (message.type) {
    case "order.created.v1": {
      const { order_id, user_id, lines } = read(Created, message);
      // Of version 0, so that any status goes before it.
      await noteStatus(tx, { id: order_id, userId: user_id, sequence: 0, status: "PENDING" });
      await noteProducts(tx, order_id, [...new Set(lines.map((line) => line.product_id))]);
      break;
    }
    case "order.status_changed.v1": {
      const { order_id, user_id, sequence, status } = read(StatusChanged, message);
      await noteStatus(tx, { id: order_id, userId: user_id, sequence, status });
      break;
    }
  }
}

function read<T>(shape: z.ZodType<T>, message: Message): T {
  const found = shape.safeParse(message.data);
  if (found.success) return found.data;
  const at = found.error.issues.map((issue) => issue.path.join(".")).join(", ");
  throw new DeadEvent(`${message.type} has data of another shape: ${at}`);
}
