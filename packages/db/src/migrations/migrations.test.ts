import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/index.ts";
import { applyMigrations, readMigrations } from "./apply.ts";
import { diffSchemas } from "./diff.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

test("ten processes that start at once migrate once, and the others find nothing to do", async () => {
  const empty = await createTestDatabase();
  try {
    await empty.pool.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    const applied = await Promise.all(Array.from({ length: 10 }, () => applyMigrations(empty.url)));
    expect(applied.filter((names) => names.length > 0)).toEqual([readMigrations().map((migration) => migration.name)]);
  } finally {
    await empty.drop();
  }
});

test("a migration whose file changed after it was applied is refused by name", async () => {
  const changed = readMigrations().map((migration) => ({ ...migration, checksum: "0".repeat(64) }));
  await expect(applyMigrations(database.url, changed)).rejects.toThrow(/_init was changed after it was applied/);
});

test("a database of a newer version is left alone", async () => {
  await expect(applyMigrations(database.url, [])).rejects.toThrow(/newer/);
});

test("a migration that fails half-way leaves the database as it was", async () => {
  const broken = { name: "99999999999999_broken", sql: "CREATE TABLE half (); SELECT 1/0;", checksum: "1".repeat(64) };
  await expect(applyMigrations(database.url, [...readMigrations(), broken])).rejects.toThrow(/99999999999999_broken/);
  const { rows } = await database.pool.query("SELECT to_regclass('half') AS half");
  expect(rows).toEqual([{ half: null }]);
});

test("the migrations and schema.prisma describe the same columns, keys and enums", async () => {
  const fromSchema = await createTestDatabase();
  try {
    await fromSchema.pool.query("DROP SCHEMA public CASCADE");
    await fromSchema.pool.query(await diffSchemas(database.url));
    expect(await describe(database)).toEqual(await describe(fromSchema));
  } finally {
    await fromSchema.drop();
  }
});

/** Columns, foreign keys and enum values as sorted lines. Nullability of arrays is left out: Prisma cannot state it. */
async function describe({ pool }: TestDatabase): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(`
    SELECT format('%s.%s %s %s', table_name, column_name, udt_name, CASE WHEN data_type = 'ARRAY' THEN '' ELSE is_nullable END) AS line
      FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'
    UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint WHERE contype = 'f'
    UNION ALL SELECT format('%s = %s', enumtypid::regtype, enumlabel) FROM pg_enum
    ORDER BY 1`);
  return rows.map((row) => row.line);
}
