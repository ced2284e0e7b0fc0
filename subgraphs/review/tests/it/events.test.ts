/** What orders tell, over a real broker into a real inbox. */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { noteOrder, QUEUE } from "../../src/app/noteOrder.ts";
import { InboxWorker } from "../../src/kit/events/worker.ts";
import { uuidv7 } from "../../src/kit/id.ts";
import { eventually, newId, Stage, type User } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());

const may = async (user: User, product: string) =>
  (await stage.product(product, "viewerCanReview", user)).viewerCanReview as boolean;

/** All that was stored is applied. */
const applied = (count: number) =>
  eventually("the events", async () => {
    const sql =
      "SELECT count(*) FILTER (WHERE status = 'DONE')::int AS done, count(*)::int AS all FROM inbox";
    const { rows } = await stage.pool.query(sql);
    return rows[0].done === rows[0].all && rows[0].all >= count;
  });

const stored = async () =>
  (await stage.pool.query("SELECT count(*)::int AS n FROM inbox")).rows[0].n as number;

it("the golden files give and take the right", async () => {
  const golden = (name: string) =>
    readFileSync(new URL(`../../../../crates/contracts/golden/${name}.json`, import.meta.url));
  const before = await stored();
  for (const [type, name] of [
    ["order.status_changed.v1", "order_status_changed"],
    ["order.created.v1", "order_created"],
  ] as const) {
    await stage.publish(type, golden(name));
    await stage.publish(type, golden(name));
  }
  await applied(before + 2);
  const { rows } = await stage.pool.query(
    "SELECT status, sequence, count(product_id)::int AS products FROM buyer_order JOIN order_product USING (order_id) WHERE order_id = '01890a5d-ac96-774b-bcce-b302099a8057' GROUP BY 1, 2",
  );
  expect(rows).toEqual([{ status: "CANCELLED", sequence: 9, products: 1 }]);
  expect(await stored()).toBe(before + 2);
});

it("the right comes with the payment and goes with the money", async () => {
  const [user, product, order] = [await stage.user(), newId("prod"), newId("ord")];
  let before = await stored();
  await stage.created(order, user, [product]);
  await applied(before + 1);
  expect(await may(user, product)).toBe(false);
  for (const [sequence, status, expected] of [
    [5, "AWAITING_PAYMENT", false],
    [9, "PAID", true],
    [10, "SHIPPED", true],
    [11, "DELIVERED", true],
    // Late: it changes nothing.
    [4, "PENDING", true],
    [12, "REFUNDED", false],
    [9, "PAID", false],
    [13, "SOMETHING_NEW", false],
  ] as const) {
    before = await stored();
    await stage.moved(order, user, sequence, status);
    await applied(before + 1);
    expect(await may(user, product), `${sequence} ${status}`).toBe(expected);
  }
});

it("another order of the same product still counts", async () => {
  const [user, product, one, other] = [await stage.user(), newId("prod"), newId("ord"), newId("ord")];
  const before = await stored();
  for (const [order, status] of [
    [one, "REFUNDED"],
    [other, "PAID"],
  ] as const) {
    // The status first: events may overtake each other.
    await stage.moved(order, user, 9, status);
    await stage.created(order, user, [product]);
  }
  await applied(before + 4);
  expect(await may(user, product)).toBe(true);
});

it("what is no event is parked with the reason, and holds up nobody", async () => {
  const [user, product, order] = [await stage.user(), newId("prod"), newId("ord")];
  await stage.publish("order.created.v1", Buffer.from("{ this is no event"));
  await stage.created(order, user, [product]);
  await stage.moved(order, user, 9, "PAID");
  await eventually("the right", () => may(user, product));
  const parked = await eventually("the parked message", () => stage.parked());
  expect(parked).toEqual({ content: "{ this is no event", reason: "not a CloudEvent: no JSON" });
});

it("data of another shape is kept as dead, and holds up nobody", async () => {
  const [user, product, order] = [await stage.user(), newId("prod"), newId("ord")];
  await stage.event("order.status_changed.v1", 2, { order_id: newId("ord"), sequence: 2 });
  await stage.created(order, user, [product]);
  await stage.moved(order, user, 9, "PAID");
  await eventually("the right", () => may(user, product));
  const dead = await eventually("the dead event", async () => {
    const { rows } = await stage.pool.query("SELECT last_error FROM inbox WHERE status = 'DEAD'");
    return rows[0];
  });
  expect(dead.last_error).toBe("order.status_changed.v1 has data of another shape: user_id, status");
  await stage.pool.query("DELETE FROM inbox WHERE status = 'DEAD'");
});

it("a correlation id and a trace are kept with the event", async () => {
  const [user, order] = [await stage.user(), newId("ord")];
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const data = { order_id: order, user_id: user.id, lines: [] };
  await stage.event("order.created.v1", 1, data, { traceparent, correlationid: "checkout-7" });
  const payload = await eventually("the event", async () => {
    const sql = "SELECT payload FROM inbox WHERE aggregate_id = $1";
    return (await stage.pool.query(sql, [order])).rows[0]?.payload;
  });
  expect(payload.correlationid).toBe("checkout-7");
  expect(payload.traceparent.split("-")[1]).toBe("0af7651916cd43dd8448eb211c80319c");
});

it("a fault that passes is tried again, and each event has its effect once", async () => {
  const consumer = `${QUEUE.queue}.test`;
  const ids = Array.from({ length: 5 }, () => uuidv7());
  const body = JSON.parse(
    readFileSync(new URL("../../../../crates/contracts/golden/order_created.json", import.meta.url), "utf8"),
  );
  for (const id of ids) {
    await stage.pool.query(
      "INSERT INTO inbox (consumer, message_id, type, aggregate_id, payload) VALUES ($1, $2, 'order.created.v1', 'x', $3)",
      [consumer, id, JSON.stringify(body)],
    );
  }
  let tries = 0;
  const seen: number[] = [];
  // biome-ignore lint/suspicious/noExplicitAny: the pool of the tests is one of pg
  const worker = new InboxWorker(stage.pool as any, consumer, async (tx, message) => {
    tries += 1;
    seen.push(tries);
    if (tries === 3) throw new Error("passing");
    await noteOrder(tx, message);
  });
  await eventually("all of them", async () => {
    await stage.pool.query("UPDATE inbox SET next_try_at = now() WHERE consumer = $1", [consumer]);
    await worker.step();
    const sql = "SELECT count(*)::int AS n FROM inbox WHERE consumer = $1 AND status = 'DONE'";
    return (await stage.pool.query(sql, [consumer])).rows[0].n === 5;
  });
  // Three in the batch that failed, then each alone.
  expect(tries).toBe(8);
});

it("a consumer that the broker ends begins anew", async () => {
  await stage.loseQueue();
  const [user, product, order] = [await stage.user(), newId("prod"), newId("ord")];
  await stage.created(order, user, [product]);
  await stage.moved(order, user, 9, "PAID");
  await eventually("the right", () => may(user, product));
});
