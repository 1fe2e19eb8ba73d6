import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { type Database, openDatabase } from "../client.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The server's superuser, connected to the template's sibling `postgres`. */
    postgresUrl: string;
  }
}

export interface TestDatabase extends Database {
  /** Closes and drops it. */
  drop(): Promise<void>;
}

/** A fresh, migrated database of its own. Call it in `beforeAll` or in a test; `drop()` it afterwards. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  await asSuperuser(`CREATE DATABASE ${name} TEMPLATE template_holdfast STRATEGY FILE_COPY`);
  const database = openDatabase(inject("postgresUrl").replace(/postgres$/, name), { onError: () => undefined });
  return {
    ...database,
    async drop() {
      await database.close();
      await asSuperuser(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function asSuperuser(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject("postgresUrl") });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
