import type { Database } from "@holdfast/db";
import type { Actor } from "../drive/index.ts";

/** What somebody may know of their own account. */
export interface Profile {
  id: string;
  name: string;
  email: string;
  role: "admin" | "user";
  rootId: string;
  /** All versions of all files, trash included. */
  usedBytes: number;
  /** Null when there is no limit. */
  quotaBytes: number | null;
}

export async function readProfile(pool: Database["pool"], actor: Actor): Promise<Profile> {
  const { rows } = await pool.query<Pick<Profile, "name" | "email" | "usedBytes" | "quotaBytes">>(
    `SELECT u.name, u.email, d.used_bytes AS "usedBytes", d.quota_bytes AS "quotaBytes"
     FROM "user" u JOIN drive d ON d.owner_id = u.id WHERE u.id = $1`,
    [actor.userId],
  );
  return { id: actor.userId, role: actor.role, rootId: actor.rootId, ...rows[0]! };
}
