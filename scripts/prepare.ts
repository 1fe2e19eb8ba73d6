/** Builds what is derived from the sources, and only when they changed: the Prisma client and the two Next apps. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root: string = dirname(dirname(fileURLToPath(import.meta.url)));

interface Product {
  announce: string;
  /** What it is made from: files, and folders with all below them. */
  sources: string[];
  /** Where it lands; removed by hand means it is made again. */
  output: string;
  command: string[];
}

const sharedSources = [
  "package-lock.json",
  "packages/ui",
  "packages/core/src",
  "packages/db/src",
  "prisma/schema.prisma",
  "tsconfig.base.json",
];

const products = {
  client: {
    announce: "Generating the database client…",
    sources: ["prisma/schema.prisma", "package-lock.json"],
    output: "packages/db/src/generated",
    command: ["node_modules/prisma/build/index.js", "generate"],
  },
  web: {
    announce: "Building the Drive…",
    sources: ["apps/web", ...sharedSources],
    output: "apps/web/.next",
    command: ["node_modules/next/dist/bin/next", "build", "apps/web"],
  },
  admin: {
    announce: "Building the console…",
    sources: ["apps/admin", ...sharedSources],
    output: "apps/admin/.next",
    command: ["node_modules/next/dist/bin/next", "build", "apps/admin"],
  },
} satisfies Record<string, Product>;

// Prisma looks for its schema engine before it generates, and would download it. Generating does not run it: any file will do.
const environment = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" };

export async function prepare(names: (keyof typeof products)[]): Promise<void> {
  for (const name of names) make(name, products[name]);
}

function make(name: string, product: Product): void {
  const stampFile = join(root, "node_modules", ".holdfast", name);
  const fingerprint = fingerprintOf(product.sources);
  if (existsSync(join(root, product.output)) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === fingerprint) return;

  console.log(product.announce);
  const { status, stdout, stderr } = spawnSync(process.execPath, product.command, { cwd: root, env: environment, encoding: "utf8" });
  if (status !== 0) {
    console.error(`${stdout}${stderr}\nThis step failed; the messages above say why.`);
    process.exit(1);
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, fingerprint);
}

function fingerprintOf(sources: string[]): string {
  const hash = createHash("sha256");
  for (const file of sources.flatMap(filesOf).toSorted())
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

function filesOf(source: string): string[] {
  if (!statSync(join(root, source)).isDirectory()) return [source];
  return globSync(`${source}/**/*`, {
    cwd: root,
    exclude: (path) => /(^|\/)(\.next|node_modules|generated|next-env\.d\.ts)(\/|$)/.test(path) || /\.test\.tsx?$/.test(path),
  }).filter((path) => statSync(join(root, path)).isFile());
}
