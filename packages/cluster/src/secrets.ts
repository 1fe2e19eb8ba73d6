import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const secret = z.string().min(32);
const secretsShape = z.object({ clusterKey: secret, authSecret: secret, databasePassword: secret });

/** What nobody chose and nobody should know: made once, kept in the data directory, readable by its owner alone. */
export type Secrets = z.output<typeof secretsShape>;

export function loadSecrets(dataDirectory: string): Secrets {
  const file = join(dataDirectory, "secrets.json");
  if (existsSync(file)) return secretsShape.parse(JSON.parse(readFileSync(file, "utf8")));
  const secrets: Secrets = { clusterKey: newSecret(), authSecret: newSecret(), databasePassword: newSecret() };
  writeDurably(file, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function newSecret(): string {
  return randomBytes(32).toString("hex");
}

/** Durable before it is used: a cluster whose key was lost could not talk to its own nodes. */
function writeDurably(file: string, text: string): void {
  const handle = openSync(`${file}.new`, "w", 0o600);
  writeSync(handle, text);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(`${file}.new`, file);
}
