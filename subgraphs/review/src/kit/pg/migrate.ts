/** Brings the schema up to date. Of several processes that start together one does it, and the others wait. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pool } from "./pool.ts";

/** Any number, as long as nobody else takes it in this database. */
const LOCK = 4_607_182_418;

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** The `NNNN_name.sql` files of a folder, in order. */
export function migrationsOf(folder: string): Migration[] {
  const files = readdirSync(folder).filter((file) => /^\d{4}_\w+\.sql$/.test(file));
  return files.sort().map((file) => {
    const sql = readFileSync(join(folder, file), "utf8");
    const checksum = createHash("sha256").update(sql).digest("hex");
    return { version: Number(file.slice(0, 4)), name: file.slice(5, -4), sql, checksum };
  });
}

/** Applies what is new, each file in its transaction. A file that was changed after it was applied is refused. */
export async function migrate(pool: Pool, folder: string): Promise<void> {
  const connection = await pool.connect();
  try {
    // Building an index may take longer than a request's statement may.
    await connection.query("SET statement_timeout = 0; SET lock_timeout = '60s'");
    await connection.query("SELECT pg_advisory_lock($1)", [LOCK]);
    await connection.query(`CREATE TABLE IF NOT EXISTS schema_migration (
      version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT statement_timestamp())`);
    const applied = await connection.query<{ version: number; checksum: string }>(
      "SELECT version, checksum FROM schema_migration",
    );
    const known = new Map(applied.rows.map((row) => [row.version, row.checksum]));
    for (const { version, name, sql, checksum } of migrationsOf(folder)) {
      const before = known.get(version);
      if (before !== undefined && before !== checksum) {
        throw new Error(`migration ${version} was applied and has been changed since`);
      }
      if (before !== undefined) continue;
      await connection.query("BEGIN");
      await connection.query(sql);
      await connection.query("INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)", [
        version,
        name,
        checksum,
      ]);
      await connection.query("COMMIT");
    }
  } finally {
    // Thrown away: it has other time-outs, and may hold the lock.
    connection.release(true);
  }
}
