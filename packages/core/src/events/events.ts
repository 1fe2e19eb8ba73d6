/**
 * What happened to the cluster, in sentences an operator can read from top to bottom like an incident report.
 *
 * Nothing decides by an event. One is recorded in the transaction that makes it true wherever there is such a transaction.
 */
import type { EventSeverity } from "@holdfast/db";
import type pg from "pg";

export interface NewEvent {
  severity: EventSeverity;
  /** Stable and dotted, noun first: `node.down`. */
  kind: string;
  /** One or two whole sentences that need nothing beside them. */
  message: string;
  nodeId?: number;
  /** The user who did it. */
  actorId?: string;
  /** Facts for programs. Never a secret. */
  data?: Record<string, unknown>;
}

export interface EventRecord {
  id: number;
  at: Date;
  severity: EventSeverity;
  kind: string;
  message: string;
  nodeId: number | null;
}

export interface EventPage {
  /** Newest first. */
  items: EventRecord[];
  /** For `before`; absent on the last page. */
  nextCursor?: number;
}

export async function recordEvent(db: Pick<pg.ClientBase, "query">, event: NewEvent): Promise<void> {
  const { severity, kind, message, nodeId = null, actorId = null, data = {} } = event;
  await db.query("INSERT INTO event (severity, kind, message, node_id, actor_id, data) VALUES ($1, $2, $3, $4, $5, $6)", [
    severity,
    kind,
    message,
    nodeId,
    actorId,
    JSON.stringify(data),
  ]);
}

/** `before` is the cursor of the page above; `nodeId` keeps the events of one node. */
export async function listEvents(
  pool: pg.Pool,
  { nodeId = null, before = null, limit }: { nodeId?: number | null; before?: number | null; limit: number },
): Promise<EventPage> {
  const { rows } = await pool.query<EventRecord>(
    `SELECT id, at, severity, kind, message, node_id AS "nodeId" FROM event
      WHERE ($1::bigint IS NULL OR id < $1) AND ($2::smallint IS NULL OR node_id = $2)
      ORDER BY id DESC LIMIT $3`,
    [before, nodeId, limit + 1],
  );
  const items = rows.slice(0, limit);
  return rows.length > limit ? { items, nextCursor: items.at(-1)!.id } : { items };
}
