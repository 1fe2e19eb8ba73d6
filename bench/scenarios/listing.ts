import { randomInt } from "node:crypto";
import type { TestCluster } from "@holdfast/cluster/testing";
import { type Actor, listEntries, type ListingRequest } from "@holdfast/core/drive";
import { limits as systemLimits } from "@holdfast/core/kernel";
import type { Database } from "@holdfast/db";
import { DriveDoor, serverProcesses } from "../load/drive-door.ts";
import { withDatabase } from "../measure/database.ts";
import { measure } from "../measure/meter.ts";
import { operationsRow, type Row } from "../report/row.ts";
import type { ClusterScenario } from "../scenario.ts";

const FOLDERS = [1_000, 100_000, 1_000_000];
const PAGES_MIN = 20;
const CLIENT_PAGES = 50;

/** All pages of a folder in turn, each timed: one at depth must cost what the first does. Then some of them as a browser would. */
export const listing: ClusterScenario = {
  number: 6,
  name: "listing",
  title: "pages of 1,000 entries of large folders",
  kind: "cluster",
  async measure(cluster) {
    const door = new DriveDoor(cluster);
    try {
      return await withDatabase(cluster.databaseUrl, async (database) => {
        const rows: Row[] = [];
        for (const entries of FOLDERS) rows.push(...(await measureFolder(cluster, database, door, entries)));
        return rows;
      });
    } finally {
      await door.close();
    }
  },
};

async function measureFolder(cluster: TestCluster, { pool }: Database, door: DriveDoor, entries: number): Promise<Row[]> {
  const actor = await ownersActor({ pool });
  const name = `${entries} entries`;
  const { id: parentId } = await cluster.owner.mutate<{ id: string }>("entries.createFolder", { parentId: actor.rootId, name });
  await fill({ pool }, actor, parentId, entries);
  const page = { parentId, sort: "name", direction: "asc", limit: systemLimits.listPageMax } as const;
  let cursors: (string | undefined)[] = [];
  const inDatabase = await measure(() => serverProcesses(cluster), {
    rounds: Math.ceil((PAGES_MIN * systemLimits.listPageMax) / entries),
    before: async (round) => void (round === 0 && (await walk(pool, actor, page))), // not of a process that has just begun
    async work(_, took) {
      cursors = await walk(pool, actor, page, took);
      return cursors.length;
    },
  });
  const atClient = await measure(() => serverProcesses(cluster), {
    rounds: 1,
    async work(_, took) {
      for (let number = 0; number < CLIENT_PAGES; number += 1) {
        const start = performance.now();
        await door.list({ ...page, cursor: cursors[number === 0 ? 0 : randomInt(cursors.length)] });
        took(performance.now() - start);
      }
      return CLIENT_PAGES;
    },
  });
  const size = entries.toLocaleString("en");
  return [
    operationsRow(`${size} entries: each page, in the database`, inDatabase, { targets: [{ of: "p99", atMost: 10 }] }),
    operationsRow(`${size} entries: a page anywhere, at the client`, atClient, { targets: [{ of: "p99", atMost: 50 }] }),
  ];
}

/** Returns where each page began. */
async function walk(
  pool: Database["pool"],
  actor: Actor,
  page: ListingRequest,
  took: (ms: number) => void = () => undefined,
): Promise<(string | undefined)[]> {
  const cursors: (string | undefined)[] = [];
  let cursor: string | undefined;
  do {
    cursors.push(cursor);
    const start = performance.now();
    ({ nextCursor: cursor } = await listEntries(pool, actor, { ...page, cursor }));
    took(performance.now() - start);
  } while (cursor !== undefined);
  return cursors;
}

async function ownersActor({ pool }: Pick<Database, "pool">): Promise<Actor> {
  const { rows } = await pool.query<Omit<Actor, "role">>(
    `SELECT owner_id AS "userId", drive.id AS "driveId", entry.id AS "rootId" FROM drive JOIN entry ON drive_id = drive.id AND parent_id IS NULL`,
  );
  return { ...rows[0]!, role: "admin" };
}

/** Rows without contents: nothing here looks at those. */
async function fill({ pool }: Pick<Database, "pool">, { driveId }: Actor, parentId: string, entries: number): Promise<void> {
  await pool.query(
    `INSERT INTO entry (id, drive_id, parent_id, kind, name, size_bytes, modified_at)
     SELECT gen_random_uuid(), $1, $2, CASE WHEN n % 20 = 0 THEN 'folder' ELSE 'file' END::entry_kind, 'entry ' || n, (n::bigint * 7919) % 1000003,
            now() - (n::bigint * 104729 % 86400) * interval '1 second'
     FROM generate_series(1, $3::int) n`,
    [driveId, parentId, entries],
  );
  await pool.query("VACUUM ANALYZE entry");
}
