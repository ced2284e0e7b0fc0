/** An event as a consumer sees it: the envelope read, the data not yet (CloudEvents 1.0, JSON structured mode). */

import { z } from "zod";
import { readId } from "../id.ts";
import { parseJson } from "../json.ts";

const Envelope = z.looseObject({
  specversion: z.string(),
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.iso.datetime({ offset: true }),
  traceparent: z.string().optional(),
  correlationid: z.string().optional(),
  aggregateversion: z.int(),
  data: z.unknown(),
});

/** Why a delivery is not an event; it goes to the parking queue with this text. */
export class DecodeError extends Error {}

/** One event, received. */
export interface Message {
  /** The event's id as a UUID, the same in outbox, broker and inbox. */
  readonly id: string;
  /** Type with version, such as `order.created.v1`. */
  readonly type: string;
  /** Id of the aggregate. */
  readonly subject: string;
  readonly correlationId: string | undefined;
  readonly traceparent: string | undefined;
  readonly data: unknown;
  /** The whole envelope. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Reads a body off the broker. */
export function decode(bytes: Buffer): Message {
  let body: unknown;
  try {
    body = parseJson(bytes);
  } catch {
    throw new DecodeError("not a CloudEvent: no JSON");
  }
  return fromBody(body);
}

/** Reads an envelope. */
export function fromBody(body: unknown): Message {
  const read = Envelope.safeParse(body);
  if (!read.success) {
    const at = read.error.issues.map((issue) => issue.path.join(".") || "(all)");
    throw new DecodeError(`not a CloudEvent: ${at.join(", ")}`);
  }
  const { specversion, id, type, subject, traceparent, correlationid, data } = read.data;
  if (specversion !== "1.0") throw new DecodeError(`specversion ${specversion} is not 1.0`);
  if (!("data" in read.data)) throw new DecodeError("not a CloudEvent: data");
  const uuid = readId("evt", id);
  if (uuid === undefined) throw new DecodeError("not a CloudEvent: id");
  if (type.includes("\0") || subject.includes("\0")) throw new DecodeError("contains a NUL character");
  return { id: uuid, type, subject, correlationId: correlationid, traceparent, data, body: read.data };
}
