/** The main promise: machines go away, files do not. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "@holdfast/core/kernel";
import { randomFile, type TestCluster } from "@holdfast/cluster/testing";
import type { Locator, Page } from "@playwright/test";
import { expect, test } from "./cluster.ts";
import { uploadLine } from "./upload-line.ts";

interface ClusterReport {
  nodes: { health: string }[];
}

async function untilAllUp({ operator }: TestCluster): Promise<void> {
  const healths = async (): Promise<string[]> => (await operator.get<ClusterReport>("/api/cluster")).nodes.map(({ health }) => health);
  await expect.poll(healths, { timeout: 60_000 }).toEqual(["up", "up", "up"]);
}

test.beforeEach(({ cluster }) => untilAllUp(cluster));
test.afterEach(async ({ cluster }) => {
  await Promise.all(cluster.nodes.filter(({ pid }) => pid === undefined).map((node) => node.start())); // whatever a failed test left unplugged
  await untilAllUp(cluster);
});

/** The console's overview, open beside the Drive; it is never reloaded. */
async function openConsole(drive: Page, address: string) {
  const page = await drive.context().newPage();
  await page.goto(address);
  const rowOf = (shown: Locator): Locator => page.getByRole("listitem").filter({ has: shown });
  return {
    page,
    node: (name: string) => rowOf(page.getByRole("link", { name })),
    /** How many chunks have two copies. */
    async twoCopies(): Promise<number> {
      const row = await rowOf(page.getByText("2 copies", { exact: true })).innerText();
      return Number(row.replace("2 copies", "").replaceAll(/\D/g, ""));
    },
  };
}

test("a node is unplugged in mid-upload: the upload finishes, the console tells, the file is whole", async ({
  drive,
  scratch,
  cluster,
}) => {
  const file = randomFile("one node lost", 96 * MiB);
  writeFileSync(join(scratch, "wedding.mp4"), file.bytes());
  const console = await openConsole(drive.page, cluster.consoleUrl);
  await expect(console.node("node-2")).toContainText("Up");
  const before = await console.twoCopies();
  const atOpen = await console.page.evaluate(() => performance.timeOrigin);

  await drive.page.bringToFront();
  const line = await uploadLine(drive.page);
  await drive.uploadFiles(join(scratch, "wedding.mp4"));
  await drive.untilSent("wedding.mp4", { percent: 25 });
  await line.stall();
  await cluster.nodes[1]!.unplug();
  await expect(console.node("node-2")).toContainText("Down");
  await line.free();
  await expect(drive.trayStatus).toHaveText("1 upload done", { timeout: 60_000 });

  await expect.poll(() => console.twoCopies()).toBeGreaterThan(before);
  expect(await drive.download("wedding.mp4")).toBe(file.sha256());

  await cluster.nodes[1]!.start();
  await expect(console.node("node-2")).toContainText("Up");
  expect(await console.page.evaluate(() => performance.timeOrigin)).toBe(atOpen);
});

test("two of three nodes are away: the tray says why it waits, and finishes by itself when they are back", async ({
  drive,
  scratch,
  cluster,
}) => {
  const file = randomFile("two nodes lost", 96 * MiB);
  writeFileSync(join(scratch, "thesis.zip"), file.bytes());
  const line = await uploadLine(drive.page);
  await drive.uploadFiles(join(scratch, "thesis.zip"));
  await drive.untilSent("thesis.zip", { percent: 25 });
  await line.stall();
  await Promise.all([cluster.nodes[0]!.unplug(), cluster.nodes[2]!.unplug()]);
  await line.free();
  await expect(drive.tray.getByText(/Only 1 of 3 storage nodes can take data/).first()).toBeVisible({ timeout: 60_000 });

  await Promise.all([cluster.nodes[0]!.start(), cluster.nodes[2]!.start()]);
  await expect(drive.trayStatus).toHaveText("1 upload done", { timeout: 90_000 });
  expect(await drive.download("thesis.zip")).toBe(file.sha256());
});
