import { expect, test } from "vitest";
import { openDatabase } from "./client.ts";
import { listOfAnyLength } from "./statements.ts";
import { createTestDatabase } from "./testing/index.ts";

test("asked again and again with a short list, a named statement is not planned anew each time", async () => {
  const database = await createTestDatabase();
  const single = openDatabase(database.url, { connectionsMax: 1, onError: () => undefined });
  const list = listOfAnyLength("$1::uuid[]");
  const text = `SELECT e.name FROM unnest(${list}) AS wish (id) CROSS JOIN LATERAL (SELECT * FROM entry WHERE id = wish.id LIMIT 1) AS e`;
  const ids = ["00000000-0000-4000-8000-000000000000"];
  for (let time = 0; time < 10; time++) await single.pool.query({ name: "names", text, values: [ids] });

  const { rows } = await single.pool.query<{ generic: number }>(
    "SELECT generic_plans AS generic FROM pg_prepared_statements WHERE name = 'names'",
  );
  expect(rows).toEqual([{ generic: 5 }]);
  await single.close();
  await database.drop();
});
