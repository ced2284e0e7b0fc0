/** The committed copies and the golden events of the house are what this service thinks they are. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { noteOrder } from "../../src/app/noteOrder.ts";
import { schema } from "../../src/graphql/schema.ts";
import { sdl } from "../../src/graphql/sdl.ts";
import { decode } from "../../src/kit/events/message.ts";
import { DeadEvent } from "../../src/kit/events/worker.ts";
import type { Executor } from "../../src/kit/pg/pool.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
const golden = (name: string) => read(`../../crates/contracts/golden/${name}.json`);

/** Remembers what would be asked of a database. */
function recorder() {
  const asked: unknown[][] = [];
  const query = (_: string, values: unknown[]) => {
    asked.push(values);
    return Promise.resolve({ rows: [], rowCount: 0 });
  };
  return { asked, tx: { query } as unknown as Executor };
}

const ORDER = "01890a5d-ac96-774b-bcce-b302099a8057";
const BUYER = "01890a5d-ac96-774b-bcce-b302099a805d";

describe("golden events", () => {
  it("order.created.v1 tells the buyer and the products", async () => {
    const { asked, tx } = recorder();
    await noteOrder(tx, decode(golden("order_created")));
    expect(asked).toEqual([
      [ORDER, BUYER, 0, "PENDING"],
      [ORDER, ["01890a5d-ac96-774b-bcce-b302099a805b"]],
    ]);
  });

  it("order.status_changed.v1 tells where the order stands", async () => {
    const { asked, tx } = recorder();
    await noteOrder(tx, decode(golden("order_status_changed")));
    expect(asked).toEqual([[ORDER, BUYER, 9, "CANCELLED"]]);
  });

  it("an event of another kind is of no interest", async () => {
    const { asked, tx } = recorder();
    await noteOrder(tx, decode(golden("refund_completed")));
    expect(asked).toEqual([]);
  });

  it("what a later version adds is no reason to refuse", async () => {
    const { asked, tx } = recorder();
    const event = JSON.parse(golden("order_status_changed").toString());
    event.data = { ...event.data, status: "RETURNED", added: { later: true } };
    await noteOrder(tx, decode(Buffer.from(JSON.stringify(event))));
    expect(asked).toEqual([[ORDER, BUYER, 9, "RETURNED"]]);
  });

  it.each([
    ["order_id", "usr_01h455vb4pex5vsknk084sn02q"],
    ["user_id", undefined],
    ["sequence", "9"],
    ["status", 7],
  ])("data with another %s is dead", async (member, value) => {
    const event = JSON.parse(golden("order_status_changed").toString());
    event.data[member] = value;
    const message = decode(Buffer.from(JSON.stringify(event)));
    await expect(noteOrder(recorder().tx, message)).rejects.toBeInstanceOf(DeadEvent);
  });
});

describe("envelopes", () => {
  const event = () => JSON.parse(golden("order_created").toString());
  it.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["no data", JSON.stringify({ ...event(), data: undefined })],
    ["another specversion", JSON.stringify({ ...event(), specversion: "2.0" })],
    ["an id of another kind", JSON.stringify({ ...event(), id: "ord_01h455vb4pex5vsknk084sn02q" })],
    ["a version that is no number", JSON.stringify({ ...event(), aggregateversion: "1" })],
    ["a NUL", JSON.stringify({ ...event(), subject: "a\0b" })],
  ])("%s is no event", (_, body) => {
    expect(() => decode(Buffer.from(body))).toThrow();
  });
});

describe("copies", () => {
  it("the committed schema is the served one", () => {
    expect(read("schema.graphql").toString(), "run `cargo xtask sdl`").toBe(sdl());
    expect(schema().getQueryType()?.getFields()).toHaveProperty("_entities");
  });

  it("the shared tables are copied verbatim", () => {
    const shared = { "0001_inbox": "event-bus/sql/inbox", "0002_idempotency_key": "pg-kit/sql/idempotency" };
    for (const [own, theirs] of Object.entries(shared)) {
      expect(read(`migrations/${own}.sql`)).toEqual(read(`../../crates/${theirs}.sql`));
    }
  });
});
