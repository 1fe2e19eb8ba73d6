import { defineConfig } from "vitest/config";

/** `npm run test:unit`: pure, contract and database tests. `npm run test:cluster`: real processes, one file at a time. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/**/*.test.ts", "apps/**/*.test.ts", "bench/**/*.test.ts", "chaos/**/*.test.ts", "scripts/**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/*.cluster.test.ts"],
          globalSetup: ["packages/db/src/testing/global-setup.ts"],
          maxWorkers: 2, // they wait for disks and clocks more than they compute
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "cluster",
          include: ["packages/**/*.cluster.test.ts", "apps/**/*.cluster.test.ts", "chaos/**/*.cluster.test.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["packages/{db,core,cluster}/src/**/*.ts"],
      exclude: ["**/generated/**", "**/testing/**", "**/*.test.ts", "**/conformance.ts"],
      reporter: ["text-summary", "json-summary"],
      thresholds: { lines: 80, statements: 80 },
    },
  },
});
