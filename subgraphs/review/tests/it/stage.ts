/** The service in this process, on stores of its own: a database, a broker prefix, an identity provider. */

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConfirmChannel, connect } from "amqplib";
import { SignJWT } from "jose";
import pg from "pg";
import { inject } from "vitest";
import { QUEUE } from "../../src/app/noteOrder.ts";
import { configFrom } from "../../src/config.ts";
import { Env } from "../../src/kit/env.ts";
import { Host } from "../../src/kit/host.ts";
import { showId, uuidv7 } from "../../src/kit/id.ts";
import { type Bound, listen } from "../../src/kit/serve.ts";
import { start } from "../../src/start.ts";

export const GATEWAY_KEY = "a-gateway-key-of-tests";
const DEADLINE_MS = 30_000;

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come
export type Json = any;

/** An answer whose JSON is read as it comes. */
export interface Answer extends Response {
  json(): Promise<Json>;
}

/** A user who exists in tokens alone. */
export interface User {
  readonly id: string;
  readonly token: string;
}

/** Waits until `look` answers something other than nothing. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await sleep(25);
  }
}

export class Stage {
  readonly pool: pg.Pool;
  readonly prefix: string;
  /** What the service was started with. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #user: KeyObject;
  readonly #services: ReadonlyMap<string, KeyObject>;
  readonly #channel: ConfirmChannel;
  readonly #bound: readonly Bound[];
  readonly #farewells: (() => Promise<unknown>)[];

  private constructor(parts: {
    pool: pg.Pool;
    prefix: string;
    environment: Readonly<Record<string, string>>;
    user: KeyObject;
    services: ReadonlyMap<string, KeyObject>;
    channel: ConfirmChannel;
    bound: readonly Bound[];
    farewells: (() => Promise<unknown>)[];
  }) {
    this.pool = parts.pool;
    this.prefix = parts.prefix;
    this.environment = parts.environment;
    this.#user = parts.user;
    this.#services = parts.services;
    this.#channel = parts.channel;
    this.#bound = parts.bound;
    this.#farewells = parts.farewells;
  }

  static async open(variables: Readonly<Record<string, string>> = {}): Promise<Stage> {
    const stores = inject("stores");
    const name = `review_${uuidv7().replaceAll("-", "")}`;
    const prefix = `test.${name}.`;
    await once(stores.postgres, `CREATE DATABASE ${name}`);
    const database = new URL(stores.postgres);
    database.pathname = `/${name}`;

    const folder = mkdtempSync(join(tmpdir(), "review-"));
    const services = new Map<string, KeyObject>();
    for (const service of ["product", "order", "review"]) {
      const { privateKey, publicKey } = generateKeyPairSync("ed25519");
      services.set(service, privateKey);
      writeFileSync(join(folder, `${service}.pem`), publicKey.export({ type: "spki", format: "pem" }));
    }
    const user = generateKeyPairSync("ed25519");
    const jwk = { ...user.publicKey.export({ format: "jwk" }), kid: "test", alg: "EdDSA", use: "sig" };
    const auth = createServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ keys: [jwk], ended_sessions: [] }));
    });
    await new Promise<void>((resolve) => auth.listen(0, "127.0.0.1", resolve));

    const environment = {
      GRAPHQL_ADDR: "127.0.0.1:0",
      INTERNAL_ADDR: "127.0.0.1:0",
      GATEWAY_KEY,
      JWKS_URL: `http://127.0.0.1:${(auth.address() as AddressInfo).port}/`,
      SERVICE_KEY_FILE: join(folder, "review.pem"),
      SERVICE_KEYS_DIR: folder,
      DATABASE_URL: database.href,
      AMQP_URL: stores.amqp,
      REDIS_URL: stores.redis,
      ...variables,
    };
    const host = new Host("review");
    const bound: Bound[] = [];
    for (const listener of await start(configFrom(new Env(environment)), host, prefix))
      bound.push(await listen(listener));
    const connection = await connect(stores.amqp);
    const channel = await connection.createConfirmChannel();
    const pool = new pg.Pool({ connectionString: database.href, max: 4 });
    const stage = new Stage({
      pool,
      prefix,
      environment,
      user: user.privateKey,
      services,
      channel,
      bound,
      farewells: [
        async () => {
          host.stop();
          await Promise.all(bound.map((listener) => listener.close()));
          await host.ended(20_000);
        },
        () => connection.close(),
        () => pool.end(),
        async () => auth.close(),
        async () => rmSync(folder, { recursive: true }),
        () => once(stores.postgres, `DROP DATABASE ${name} WITH (FORCE)`),
      ],
    });
    // An event that comes before the queue is bound would be nobody's.
    await eventually("the queue", () => isListening(prefix));
    return stage;
  }

  async close(): Promise<void> {
    for (const farewell of this.#farewells) await farewell();
  }

  get graphqlUrl(): string {
    return `http://127.0.0.1:${this.#bound[0]?.port}/graphql`;
  }

  get internalUrl(): string {
    return `http://127.0.0.1:${this.#bound[1]?.port}`;
  }

  /** A new user. */
  async user(...roles: string[]): Promise<User> {
    const id = uuidv7();
    const token = await new SignJWT({
      roles: roles.length > 0 ? roles : ["CUSTOMER"],
      sid: showId("ses", uuidv7()),
    })
      .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: "test" })
      .setIssuer("mercato")
      .setAudience("mercato")
      .setSubject(showId("usr", id))
      .setJti(uuidv7())
      .setIssuedAt()
      .setExpirationTime("15m")
      .sign(this.#user);
    return { id: showId("usr", id), token };
  }

  /** The token of a call from `caller` to `callee`. */
  serviceToken(caller: string, callee: string): Promise<string> {
    const key = this.#services.get(caller);
    if (key === undefined) throw new Error(`no service called ${caller}`);
    return new SignJWT({})
      .setProtectedHeader({ alg: "EdDSA", typ: "svc+jwt", kid: caller })
      .setIssuer(caller)
      .setAudience(callee)
      .setJti(uuidv7())
      .setIssuedAt()
      .setExpirationTime("60s")
      .sign(key);
  }

  /** Sends a request as the gateway would. */
  async post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await fetch(this.graphqlUrl, {
      method: "POST",
      headers: { "content-type": "application/json", "x-gateway-key": GATEWAY_KEY, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  /** Runs an operation. */
  async ask(query: string, variables: Json = {}, user?: User): Promise<Json> {
    const headers = user === undefined ? {} : { authorization: `Bearer ${user.token}` };
    return (await this.post({ query, variables }, headers)).json();
  }

  /** Runs an operation that must not fail. */
  async data(query: string, variables: Json = {}, user?: User): Promise<Json> {
    const answer = await this.ask(query, variables, user);
    if (answer.errors !== undefined) throw new Error(JSON.stringify(answer));
    return answer.data;
  }

  /** What the service makes of entities, as the gateway asks for them. */
  async entities(representations: Json[], selection: string, user?: User): Promise<Json[]> {
    const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ${selection} } }`;
    return (await this.data(query, { r: representations }, user))._entities;
  }

  /** What the service makes of one product. */
  async product(id: string, selection: string, user?: User): Promise<Json> {
    const found = await this.entities(
      [{ __typename: "Product", id }],
      `... on Product { ${selection} }`,
      user,
    );
    return found[0];
  }

  /** Publishes bytes on order's exchange, as order would. */
  async publish(type: string, content: Buffer, headers: Record<string, string> = {}): Promise<void> {
    this.#channel.publish(`${this.prefix}order.events`, type, content, {
      persistent: true,
      mandatory: true,
      contentType: "application/cloudevents+json",
      headers,
    });
    await this.#channel.waitForConfirms();
  }

  async event(type: string, version: number, data: Json, more: Json = {}): Promise<string> {
    const id = showId("evt", uuidv7());
    const body = {
      specversion: "1.0",
      id,
      type,
      source: "/mercato/order",
      subject: data.order_id,
      time: new Date().toISOString(),
      datacontenttype: "application/json",
      aggregateversion: version,
      data,
      ...more,
    };
    await this.publish(type, Buffer.from(JSON.stringify(body)));
    return id;
  }

  /** Tells of a new order. */
  created(orderId: string, user: User, products: readonly string[]): Promise<string> {
    const lines = products.map((product_id) => ({ product_id, variant_id: "var_x", sku: "S", quantity: 1 }));
    return this.event("order.created.v1", 1, { order_id: orderId, user_id: user.id, lines });
  }

  /** Tells where an order stands. */
  moved(orderId: string, user: User, sequence: number, status: string): Promise<string> {
    const data = { order_id: orderId, user_id: user.id, sequence, step: "PAID", status };
    return this.event("order.status_changed.v1", sequence, data);
  }

  /** A user who has bought the products. */
  async buyer(...products: readonly string[]): Promise<User> {
    const user = await this.user();
    const order = showId("ord", uuidv7());
    await this.created(order, user, products);
    await this.moved(order, user, 9, "PAID");
    await eventually("the purchase", async () => {
      const bought = await this.product(products[0] ?? "", "viewerCanReview", user);
      return bought.viewerCanReview === true;
    });
    return user;
  }

  /** Takes the queue away, which ends the consumer, and waits until it is there again. */
  async loseQueue(): Promise<void> {
    await this.#channel.deleteQueue(`${this.prefix}${QUEUE.queue}`);
    await eventually("the queue, again", () => isListening(this.prefix));
  }

  /** What stands in the parking queue. */
  async parked(): Promise<{ content: string; reason: unknown } | undefined> {
    const message = await this.#channel.get(`${this.prefix}${QUEUE.queue}.parked`, { noAck: true });
    if (message === false) return undefined;
    return { content: message.content.toString(), reason: message.properties.headers?.["x-mercato-reason"] };
  }
}

/** Whether the consumer has declared its queue; asking for one that is not there ends the channel. */
async function isListening(prefix: string): Promise<boolean> {
  const connection = await connect(inject("stores").amqp);
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => undefined);
    const queue = await channel.checkQueue(`${prefix}${QUEUE.queue}`);
    return queue.consumerCount > 0;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

async function once(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

export const newId = (prefix: "prod" | "ord" | "rev") => showId(prefix, uuidv7());
