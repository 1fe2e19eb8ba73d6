import { limitSilence } from "@holdfast/db";
import pg from "pg";

export interface LockSessionOptions {
  databaseUrl: string;
  connectTimeoutMs: number;
  /** A server that leaves a question open for so long is taken for gone, and the session with it. */
  answerTimeoutMs: number;
  channels: readonly string[];
  /** What other sessions say on those channels; never our own words. */
  onNotification: (channel: string, payload: string) => void;
  /** The connection is gone, and with it every lock it held. */
  onLost: (error: Error | undefined) => void;
}

/** A connection that holds locks: they live exactly as long as it does. */
export interface LockSession {
  query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]>;
  end(): Promise<void>;
}

export async function openLockSession(options: LockSessionOptions): Promise<LockSession> {
  const client = new pg.Client({
    connectionString: options.databaseUrl,
    keepAlive: true,
    connectionTimeoutMillis: options.connectTimeoutMs,
  });
  let fault: Error | undefined;
  client.on("error", (error) => (fault = error));
  await client.connect();
  limitSilence(client, options.answerTimeoutMs);
  const listen = options.channels.map((channel) => `LISTEN ${channel}`).join("; ");
  const { rows } = ((await client.query(`SELECT pg_backend_pid() AS pid; ${listen}`)) as unknown as pg.QueryResult<{ pid: number }>[])[0]!;
  limitSilence(client, 0); // between two questions it may be silent for days
  client.once("end", () => options.onLost(fault));
  client.on("notification", ({ channel, payload = "", processId }) => {
    if (processId !== rows[0]!.pid) options.onNotification(channel, payload);
  });

  let turn: Promise<unknown> = Promise.resolve();
  return {
    /** One after the other, as the driver wants it on a single connection. */
    query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) {
      const answer = turn.then(async () => {
        limitSilence(client, options.answerTimeoutMs);
        return (await client.query<Row>(text, [...values]).finally(() => limitSilence(client, 0))).rows;
      });
      turn = answer.catch(() => undefined);
      return answer;
    },
    end() {
      limitSilence(client, options.answerTimeoutMs);
      return client.end();
    },
  };
}
