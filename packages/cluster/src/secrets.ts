import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "./durable-file.ts";

const secret = z.string().min(32);
const secretsShape = z.object({ clusterKey: secret, authSecret: secret, databasePassword: secret });

/** What nobody chose and nobody should know: made once, kept in the data directory, readable by its owner alone. */
export type Secrets = z.output<typeof secretsShape>;

export function loadSecrets(dataDirectory: string): Secrets {
  const known = readSecrets(dataDirectory);
  if (known !== undefined) return known;
  const secrets: Secrets = { clusterKey: newSecret(), authSecret: newSecret(), databasePassword: newSecret() };
  writeDurably(fileIn(dataDirectory), `${JSON.stringify(secrets, null, 2)}\n`); // before it is used: a cluster whose key was lost could not talk to its own nodes
  return secrets;
}

/** Undefined where no cluster was ever started. */
export function readSecrets(dataDirectory: string): Secrets | undefined {
  const file = fileIn(dataDirectory);
  return existsSync(file) ? secretsShape.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

function fileIn(dataDirectory: string): string {
  return join(dataDirectory, "secrets.json");
}

function newSecret(): string {
  return randomBytes(32).toString("hex");
}
