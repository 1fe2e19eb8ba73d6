/**
 * The SQL that leads from one Prisma schema to another, by Prisma's own engine as WebAssembly.
 *
 * For authors of migrations and for the test that schema and migrations agree; never at run time. What Prisma's language
 * cannot say (checks, partial indexes, collations) is added to the migration by hand.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";

type EngineModule = typeof import("@prisma/schema-engine-wasm");

const SCHEMA_FILE = fileURLToPath(new URL("../../../../prisma/schema.prisma", import.meta.url));

/**
 * SQL from `before` (a schema's text; an empty database when absent) to `after` (default: the schema of this checkout).
 * `databaseUrl` names any reachable server: the engine wants a connection, and only reads its version.
 */
export async function diffSchemas(databaseUrl: string, before?: string, after = readFileSync(SCHEMA_FILE, "utf8")): Promise<string> {
  const { SchemaEngine } = await loadEngine();
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: databaseUrl }));
  const engine = await SchemaEngine.new({ datamodels: [[SCHEMA_FILE, after]] }, () => undefined, adapter);
  const result = await engine.diff({
    from: before === undefined ? { tag: "empty" } : { tag: "schemaDatamodel", files: [{ path: SCHEMA_FILE, content: before }] },
    to: { tag: "schemaDatamodel", files: [{ path: SCHEMA_FILE, content: after }] },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  return result.stdout ?? "";
}

/** The little of WebAssembly that is used here; its types come with the DOM's, which no server code should see. */
interface WebAssemblyApi {
  instantiate(module: Uint8Array, imports: Record<string, unknown>): Promise<{ instance: { exports: Record<string, unknown> } }>;
}

async function loadEngine(): Promise<EngineModule> {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
  const bindings = await import("@prisma/schema-engine-wasm/schema_engine_bg");
  const scriptFile = createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm");
  const module = readFileSync(scriptFile.replace("schema_engine.js", "schema_engine_bg.wasm"));
  const { instance } = await WebAssembly.instantiate(module, { "./schema_engine_bg.js": bindings });
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as (() => void) | undefined)?.();
  return bindings;
}
