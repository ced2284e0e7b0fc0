/**
 * Names and declarations on the broker, as crates/event-bus makes them: topic exchanges, quorum queues, and a parking
 * queue behind a dead-letter exchange for each. Only what can never change is declared: dead-lettering, delivery limit
 * and lengths are the broker's policies.
 */

import type { Channel } from "amqplib";

/** A queue of one (service, purpose), and what it hears. */
export interface QueueSpec {
  /** Such as `review.order-events`; also the consumer's name in the inbox. */
  readonly queue: string;
  /** Pairs of exchange and routing key. */
  readonly bindings: readonly (readonly [exchange: string, routingKey: string])[];
}

/** Milliseconds after which an unused queue of a test disappears. */
const TEST_QUEUE_EXPIRES_MS = 120_000;

/** Names on the broker: tests share one, each under its own prefix, and what carries a prefix goes away by itself. */
export class Names {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  of(name: string): string {
    return `${this.#prefix}${name}`;
  }

  parking(queue: string): string {
    return this.of(`${queue}.parked`);
  }

  deadLetters(queue: string): string {
    return this.of(`${queue}.dlx`);
  }

  get temporary(): boolean {
    return this.#prefix !== "";
  }
}

/** Declares a queue with its parking queue, and binds both. */
export async function declareQueue(channel: Channel, names: Names, spec: QueueSpec): Promise<void> {
  const exchange = (name: string, kind: "topic" | "fanout") =>
    channel.assertExchange(name, kind, { durable: true, autoDelete: names.temporary });
  const quorum = (queue: string) =>
    channel.assertQueue(queue, {
      durable: true,
      arguments: {
        "x-queue-type": "quorum",
        ...(names.temporary ? { "x-expires": TEST_QUEUE_EXPIRES_MS } : {}),
      },
    });
  const deadLetters = names.deadLetters(spec.queue);
  await exchange(deadLetters, "fanout");
  await quorum(names.parking(spec.queue));
  await channel.bindQueue(names.parking(spec.queue), deadLetters, "");
  await quorum(names.of(spec.queue));
  for (const [owner, routingKey] of spec.bindings) {
    // Another's exchange: whoever may declare it may delete it. Only a test's is defined by nobody.
    if (names.temporary) await exchange(names.of(owner), "topic");
    else await channel.checkExchange(names.of(owner));
    await channel.bindQueue(names.of(spec.queue), names.of(owner), routingKey);
  }
}
