import type pg from "pg";

/** The id of the cluster that this database belongs to; made by whoever asks first, and the same for ever after. */
export async function ensureClusterId(db: Pick<pg.ClientBase, "query">): Promise<string> {
  await db.query("INSERT INTO cluster (id) VALUES (gen_random_uuid()) ON CONFLICT DO NOTHING");
  const { rows } = await db.query<{ id: string }>("SELECT id FROM cluster");
  return rows[0]!.id;
}
