import { defineConfig } from "@playwright/test";

/** Journeys in a real Chromium against a real cluster; `npm test -- browser` finds the browser and runs them. */
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE === undefined ? "list" : [["list"], ["json"]],
  use: {
    // What the page held at each step; filming it as well costs a good part of the machine.
    trace: { mode: "retain-on-failure", screenshots: false },
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: process.env.HOLDFAST_BROWSER ?? "/usr/bin/chromium",
      // As root Chromium has no sandbox to offer; the rest keeps it from calling home.
      args: [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), "--disable-background-networking", "--disable-component-update"],
    },
  },
});
