/** Connections of the pool over a real PostgreSQL. */

import { expect, inject, it } from "vitest";
import { Secret } from "../../src/kit/env.ts";
import { Host } from "../../src/kit/host.ts";
import { connect, transaction } from "../../src/kit/pg/pool.ts";
import { eventually } from "./stage.ts";

it("a connection that is lost between two statements fails its transaction and nothing else", async () => {
  const host = new Host("review");
  const pool = await connect(new Secret(inject("stores").postgres), "workers", host);
  const alive = async (pid: number) => {
    const { rowCount } = await pool.query("SELECT FROM pg_stat_activity WHERE pid = $1", [pid]);
    return rowCount === 1;
  };
  const lost = transaction(pool, async (tx) => {
    const { pid } = (await tx.query("SELECT pg_backend_pid() AS pid")).rows[0];
    await pool.query("SELECT pg_terminate_backend($1)", [pid]);
    await eventually("its end", async () => !(await alive(pid)));
    // What node has not heard of yet would not be an error of the connection.
    await new Promise(setImmediate);
    await tx.query("SELECT 1");
  });
  await expect(lost).rejects.toThrow();
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  host.stop();
  await host.ended(5_000);
});
