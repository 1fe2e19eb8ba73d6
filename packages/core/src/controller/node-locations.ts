import type pg from "pg";

export interface NodeLocation {
  nodeId: number;
  host: string;
  port: number;
  grpcPort: number;
}

/** Of those nodes that are on record, in ascending order of number. */
export async function readNodeLocations(pool: pg.Pool, nodeIds: Iterable<number>): Promise<NodeLocation[]> {
  const { rows } = await pool.query<NodeLocation>(
    `SELECT id AS "nodeId", host, port, grpc_port AS "grpcPort" FROM node WHERE id = ANY ($1) AND intent <> 'removed' ORDER BY id`,
    [[...new Set(nodeIds)]],
  );
  return rows;
}
