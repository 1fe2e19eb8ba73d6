import type pg from "pg";

/** What an acknowledgement to a user rests on. A server with one of these off loses acknowledged uploads in a power cut. */
const REQUIRED_SETTINGS = { fsync: ["on"], synchronous_commit: ["on", "remote_write", "remote_apply"], full_page_writes: ["on"] } as const;

/** Rejects, naming the setting and the remedy, when the database would acknowledge what it has not made durable. */
export async function assertDurable(pool: pg.Pool): Promise<void> {
  for (const [name, accepted] of Object.entries(REQUIRED_SETTINGS)) {
    const { rows } = await pool.query<{ value: string }>("SELECT current_setting($1) AS value", [name]);
    const value = rows[0]!.value;
    if (!(accepted as readonly string[]).includes(value)) {
      throw new Error(
        `The database runs with ${name}=${value}: a power cut would lose acknowledged files. Set ${name}=on on the server of DATABASE_URL.`,
      );
    }
  }
}
