/**
 * Store and acknowledge: a delivery is acknowledged once it is committed to the inbox, and not before. While PostgreSQL
 * is down the deliveries stay unacknowledged and the prefetch limit holds back the rest; nothing is rejected.
 */

import { SpanKind, trace } from "@opentelemetry/api";
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from "amqplib";
import { delay, pause } from "../backoff.ts";
import type { Secret } from "../env.ts";
import type { Host } from "../host.ts";
import { logOf, reasonOf } from "../log.ts";
import { consumed, reconnects } from "../metrics.ts";
import { type Pool, sqlState } from "../pg/pool.ts";
import type { Component } from "../readiness.ts";
import { remote, TRACEPARENT, traceparentOf } from "../telemetry.ts";
import { store } from "./inbox.ts";
import { DecodeError, decode, type Message } from "./message.ts";
import { declareQueue, Names, type QueueSpec } from "./topology.ts";

const PREFETCH = 100;
const HEARTBEAT_S = 10;
const OPEN_TIMEOUT_MS = 10_000;
const RECONNECT = { base: 200, cap: 5_000 };
const STORE_RETRY = { base: 200, cap: 3_000 };
/** A session that lasted this long was a good one: its end starts the backoff afresh. */
const GOOD_SESSION_MS = 10_000;
/** Header that tells an operator why a message was parked. */
const REASON = "x-mercato-reason";
const REASON_MAX = 500;

const log = logOf("event_bus");

/** What a consumer needs. */
export interface ConsumerParts {
  readonly url: Secret;
  readonly pool: Pool;
  readonly spec: QueueSpec;
  readonly host: Host;
  /** Put before every name on the broker, so that tests don't meet. */
  readonly prefix?: string;
  /** Called after deliveries were stored. */
  readonly wake: () => void;
}

/** Declares a queue and stores what it delivers until shutdown. Readiness shows it as `rabbitmq`. */
export function runConsumer(parts: ConsumerParts): void {
  const component = parts.host.readiness.observed("rabbitmq");
  component.down("connecting");
  parts.host.spawn("event consumer", () => supervise(parts, component));
}

/** Runs sessions one after the other: nothing is ever recovered in place. */
async function supervise(parts: ConsumerParts, component: Component): Promise<void> {
  const stop = parts.host.shutdown;
  const role = `consume ${parts.spec.queue}`;
  let attempt = 0;
  while (!stop.aborted) {
    const begun = performance.now();
    try {
      await new Session(parts).run(role, component);
    } catch (error) {
      if (stop.aborted) return;
      if (performance.now() - begun > GOOD_SESSION_MS) attempt = 0;
      log.warn({ role, attempt, error: reasonOf(error) }, "lost the broker");
      component.down(`${role}: ${reasonOf(error)}`);
      reconnects.inc({ role });
      await pause(delay(RECONNECT, attempt), stop);
      attempt += 1;
    }
  }
}

/** One connection with one channel, until a fault or shutdown. */
class Session {
  readonly #parts: ConsumerParts;
  readonly #names: Names;
  readonly #arrived: ConsumeMessage[] = [];
  #signal: () => void = () => undefined;
  #fault: Error | undefined;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.#names = new Names(parts.prefix ?? "");
  }

  async run(role: string, component: Component): Promise<void> {
    const { spec, host } = this.#parts;
    const connection = await this.#open(role);
    const stopped = () => this.#signal();
    host.shutdown.addEventListener("abort", stopped);
    try {
      const channel = await connection.createConfirmChannel();
      const lost = (what: string) => (error?: Error) => this.#fail(error ?? new Error(what));
      channel.on("error", lost("channel error"));
      channel.on("close", lost("the channel was closed"));
      connection.on("error", lost("connection error"));
      connection.on("close", lost("the connection was closed"));
      await declareQueue(channel, this.#names, spec);
      await channel.prefetch(PREFETCH);
      await channel.consume(this.#names.of(spec.queue), (delivery) => {
        if (delivery === null) this.#fail(new Error("the broker cancelled the consumer"));
        else this.#arrived.push(delivery);
        this.#signal();
      });
      component.up();
      await this.#takeAll(channel);
    } finally {
      host.shutdown.removeEventListener("abort", stopped);
      connection.removeAllListeners("close");
      // Unacknowledged deliveries go back to the queue. Whether the broker hears the farewell doesn't matter.
      await Promise.race([closed(connection), new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
    }
  }

  async #open(role: string): Promise<ChannelModel> {
    const { url, host } = this.#parts;
    const at = new URL(url.expose());
    at.searchParams.set("heartbeat", String(HEARTBEAT_S));
    const connection = await connect(at.href, {
      timeout: OPEN_TIMEOUT_MS,
      noDelay: true,
      clientProperties: { connection_name: `${host.service} ${role}` },
    });
    // Without one, an error that comes before the session listens would end the process.
    connection.on("error", (error) => this.#fail(error));
    return connection;
  }

  #fail(error: Error): void {
    this.#fault ??= error;
    this.#signal();
  }

  async #takeAll(channel: ConfirmChannel): Promise<void> {
    const { shutdown } = this.#parts.host;
    while (!shutdown.aborted) {
      if (this.#fault !== undefined) throw this.#fault;
      const batch = this.#arrived.splice(0, PREFETCH);
      if (batch.length > 0) await this.#take(channel, batch);
      else
        await new Promise<void>((resolve) => {
          this.#signal = resolve;
          // Something may have come between the look and the wait.
          if (this.#arrived.length > 0 || this.#fault !== undefined || shutdown.aborted) resolve();
        });
    }
  }

  async #take(channel: ConfirmChannel, batch: readonly ConsumeMessage[]): Promise<void> {
    const { spec, wake } = this.#parts;
    const good: { delivery: ConsumeMessage; message: Message }[] = [];
    for (const delivery of batch) {
      try {
        good.push({ delivery, message: received(delivery, spec.queue) });
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        await this.#park(channel, delivery, error.message);
      }
    }
    await this.#store(channel, good);
    for (const delivery of batch) channel.ack(delivery);
    wake();
  }

  /** Stores until it succeeds; what PostgreSQL will never take is parked. */
  async #store(
    channel: ConfirmChannel,
    good: readonly { readonly delivery: ConsumeMessage; readonly message: Message }[],
  ): Promise<void> {
    const { pool, spec, host } = this.#parts;
    if (good.length === 0) return;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const messages = good.map((entry) => entry.message);
        const fresh = await store(pool, spec.queue, messages);
        consumed.inc({ outcome: "stored", queue: spec.queue }, fresh);
        consumed.inc({ outcome: "duplicate", queue: spec.queue }, good.length - fresh);
        return;
      } catch (error) {
        if (isAboutTheData(error)) {
          const [first] = good;
          if (good.length === 1 && first !== undefined) {
            return this.#park(channel, first.delivery, reasonOf(error));
          }
          for (const entry of good) await this.#store(channel, [entry]);
          return;
        }
        log.warn({ queue: spec.queue, error: reasonOf(error) }, "deliveries wait for the inbox");
        if (this.#fault !== undefined) throw this.#fault;
        if (!(await pause(delay(STORE_RETRY, attempt), host.shutdown))) throw error;
      }
    }
  }

  /** By the dead-letter exchange of the queue: a service may not use the default one. */
  async #park(channel: ConfirmChannel, delivery: ConsumeMessage, why: string): Promise<void> {
    const { queue } = this.#parts.spec;
    const reason = why.slice(0, REASON_MAX);
    log.error({ queue, reason }, "parked a delivery that is not an event");
    const { messageId, contentType } = delivery.properties;
    channel.publish(this.#names.deadLetters(queue), "", delivery.content, {
      persistent: true,
      mandatory: true,
      headers: { ...delivery.properties.headers, [REASON]: reason },
      ...(messageId === undefined ? {} : { messageId }),
      ...(contentType === undefined ? {} : { contentType }),
    });
    await channel.waitForConfirms();
    consumed.inc({ outcome: "parked", queue });
  }
}

/** One that is gone already throws. */
async function closed(connection: ChannelModel): Promise<void> {
  try {
    await connection.close();
  } catch {
    // There is nobody to tell.
  }
}

/**
 * Reads a delivery. The trace context of its header, which names the span that published it, takes the place of the
 * envelope's; a span of the broker's side becomes the cause of whatever applies the event.
 */
function received(delivery: ConsumeMessage, queue: string): Message {
  const message = decode(delivery.content);
  const header: unknown = delivery.properties.headers?.[TRACEPARENT];
  const cause = typeof header === "string" ? header : message.traceparent;
  const span = trace.getTracer("mercato").startSpan(
    `receive ${message.type}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        "messaging.system": "rabbitmq",
        "messaging.destination.name": queue,
        "messaging.message.id": message.id,
        subject: message.subject,
      },
    },
    remote(cause),
  );
  span.end();
  const here = traceparentOf(span) ?? cause;
  return here === undefined
    ? message
    : { ...message, traceparent: here, body: { ...message.body, [TRACEPARENT]: here } };
}

/** SQLSTATE class 22 (data exception) or 54 (too large): repeating won't help. */
function isAboutTheData(error: unknown): boolean {
  const code = sqlState(error);
  return code !== undefined && (code.startsWith("22") || code.startsWith("54"));
}
