import type { ServerResponse } from "node:http";
import { answerJson, createDatabaseProbe, isDatabaseUnavailable, RETRY_AFTER_SECONDS } from "@holdfast/core/http-edge";
import type { NodeSnapshot } from "@holdfast/core/membership";
import { requireMigrations } from "./preparation.ts";
import type { DriveServices } from "./services.ts";

export type Health = (res: ServerResponse) => Promise<void>;

/** 200 once requests can be served, 503 with every reason otherwise. Open to everybody, so it names no node and no address. */
export function createHealth({
  database,
  membership,
  preparation,
}: Pick<DriveServices, "database" | "membership" | "preparation">): Health {
  const databaseAnswers = createDatabaseProbe(database.pool, requireMigrations);
  return async (res) => {
    const nodes = membership.nodes().filter((node) => node.intent !== "removed");
    const counts = { known: nodes.length, up: nodes.filter((node) => node.health === "up").length };
    const reasons = [
      ...(await reasonOf(async () => {
        preparation.require();
        await databaseAnswers();
      })),
      ...nodesInTheWay(nodes),
    ];
    if (reasons.length === 0) answerJson(res, 200, { status: "ok", nodes: counts });
    else answerJson(res, 503, { status: "unavailable", reasons, nodes: counts }, { "retry-after": String(RETRY_AFTER_SECONDS) });
  };
}

/** As long as one node answers, some files can be read. */
function nodesInTheWay(nodes: readonly NodeSnapshot[]): string[] {
  if (nodes.length === 0) return ["No storage node has joined the cluster yet."];
  return nodes.every((node) => node.health === "down") ? ["No storage node answers: files can be neither read nor stored."] : [];
}

async function reasonOf(work: () => Promise<void>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return [isDatabaseUnavailable(error) || !(error instanceof Error) ? "The database does not answer." : error.message];
  }
}
