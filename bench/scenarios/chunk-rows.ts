import { randomBytes, randomUUID } from "node:crypto";
import { type ChunkId, chunkIdFromBytes } from "@holdfast/core/chunking";
import { limits as systemLimits } from "@holdfast/core/kernel";
import { type ChunkToCommit, commitChunks } from "@holdfast/core/upload";
import type { Database } from "@holdfast/db";
import { serverProcesses } from "../load/drive-door.ts";
import { withDatabase } from "../measure/database.ts";
import { keepDoing, measure } from "../measure/meter.ts";
import { operationsRow, type Row } from "../report/row.ts";
import type { ClusterScenario, Settings } from "../scenario.ts";

const SECONDS = 3;
const UPLOADS = 16;
const ID_BYTES = 32;

/** What the database takes when bytes become part of uploads: chunk rows, extents and the offset in one transaction. */
export const chunkRows: ClusterScenario = {
  number: 12,
  name: "chunk-rows",
  title: "chunk rows committed",
  kind: "cluster",
  async measure(cluster, settings) {
    return await withDatabase(cluster.databaseUrl, async (database) => {
      const processes = () => serverProcesses(cluster).filter(({ role }) => role === "other");
      const commits = async (batch: number) => await commitFor(database, settings, batch, processes);
      const single = await settings.limits.singleCommits(cluster.databaseUrl);
      const batched = await settings.limits.batchedCommits(cluster.databaseUrl);
      return [
        operationsRow(`${UPLOADS} uploads, a chunk a commit`, await commits(1), { limit: single }),
        operationsRow(`${UPLOADS} uploads, 256 chunks a commit`, await commits(256), {
          limit: batched,
          targets: [{ of: "value", atLeast: 25_000 }],
        }),
        await bytesEach(database, "chunk", 200),
        await bytesEach(database, "extent"),
      ];
    });
  },
};

async function commitFor(
  { pool }: Database,
  { rounds }: Settings,
  batch: number,
  processes: Parameters<typeof measure>[0],
): Promise<Awaited<ReturnType<typeof measure>>> {
  const idle: { uploadId: string; offset: number }[] = [];
  for (let number = 0; number < UPLOADS; number += 1) idle.push({ uploadId: await newUpload({ pool }), offset: 0 });
  return await measure(processes, {
    rounds,
    async work() {
      const commit = async (): Promise<void> => {
        const upload = idle.pop()!;
        upload.offset = await commitChunks(pool, { ...upload, copiesMin: systemLimits.writeQuorum }, madeUpChunks(batch));
        idle.push(upload);
      };
      return batch * (await keepDoing(UPLOADS, SECONDS, commit));
    },
  });
}

function madeUpChunks(count: number): ChunkToCommit[] {
  const id = (): ChunkId => chunkIdFromBytes(randomBytes(ID_BYTES));
  const asOf = new Date();
  return Array.from({ length: count }, () => ({ id: id(), length: systemLimits.chunkBytesMax, nodeIds: [1, 2, 3], asOf }));
}

/** One that is never complete. */
async function newUpload({ pool }: Pick<Database, "pool">): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `WITH home AS (SELECT id FROM drive LIMIT 1), version AS (INSERT INTO version (id, drive_id) SELECT $1, id FROM home)
     INSERT INTO upload (id, version_id, drive_id, role, state, expires_at)
     SELECT $2, $1, id, 'partial', 'receiving', now() + interval '1 day' FROM home RETURNING id`,
    [randomUUID(), randomUUID()],
  );
  return rows[0]!.id;
}

async function bytesEach({ pool }: Pick<Database, "pool">, table: "chunk" | "extent", atMost?: number): Promise<Row> {
  await pool.query(`VACUUM ANALYZE ${table}`);
  const { rows } = await pool.query<{ bytes: number }>(
    `SELECT pg_total_relation_size('${table}')::float / count(*) AS bytes FROM ${table}`,
  );
  const targets = atMost === undefined ? [] : [{ of: "value" as const, atMost }];
  return { name: `bytes of a row of ${table}, indexes included`, unit: "B", values: [rows[0]!.bytes], targets };
}
