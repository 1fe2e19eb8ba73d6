import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createMembershipCache } from "./cache.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

test("a node that registers, and one whose health changes, is seen within a refresh; an outage keeps the last view", async () => {
  await insertNode("one");
  const errors: unknown[] = [];
  const membership = createMembershipCache({ pool: database.pool, refreshMs: 5, onError: (error) => errors.push(error) });
  await membership.start();
  try {
    const [one] = membership.nodes();
    expect(one).toEqual({
      id: 1,
      name: "one",
      host: "127.0.0.1",
      port: 7101,
      zone: "default",
      health: "up",
      intent: "active",
      writable: true,
      capacityBytes: 2 ** 40,
      freeBytes: 2 ** 39,
      weight: 1,
      device: "",
      healthChangedAt: expect.any(Date) as Date,
      maintenanceUntil: null,
    });

    await insertNode("two");
    await vi.waitFor(() => expect(membership.node(2)?.name).toBe("two"));
    await database.pool.query("UPDATE node SET health = 'down' WHERE id = 2");
    await vi.waitFor(() => expect(membership.node(2)?.health).toBe("down"));

    await database.pool.query("ALTER TABLE node RENAME TO node_away");
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    await database.pool.query("ALTER TABLE node_away RENAME TO node; UPDATE node SET name = 'again' WHERE id = 1");
    expect(membership.nodes()).toHaveLength(2);
    await vi.waitFor(() => expect(membership.node(1)?.name).toBe("again"));
    expect(errors).toHaveLength(1);
  } finally {
    await membership.stop();
  }
});

async function insertNode(name: string): Promise<void> {
  await database.pool.query(
    `INSERT INTO node (identity, name, host, port, boot_id, health, capacity_bytes, free_bytes)
     VALUES (gen_random_uuid(), $1, '127.0.0.1', 7101, gen_random_uuid(), 'up', $2, $3)`,
    [name, 2 ** 40, 2 ** 39],
  );
}
