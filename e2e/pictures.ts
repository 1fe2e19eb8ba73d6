/** Takes the pictures of the README, of a cluster in use: `node e2e/pictures.ts`. */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MiB } from "@holdfast/core/kernel";
import { OWNER, randomFile, startTestCluster, type TestCluster } from "@holdfast/cluster/testing";
import { openDatabase } from "@holdfast/db";
import { type BrowserContext, chromium } from "@playwright/test";
import { DrivePage } from "./drive-page.ts";
import { uploadLine } from "./upload-line.ts";

const PICTURES = join(import.meta.dirname, "../docs/images");

const files: [path: string, bytes: number, mediaType: string][] = [
  ["Contracts/Boat house lease.pdf", 412_000, "application/pdf"],
  ["Music/Shanty no. 3.flac", 21_400_000, "audio/flac"],
  ["Photos/Harbour/Dawn.jpg", 6_100_000, "image/jpeg"],
  ["Recipes/Seaweed soup.md", 2_300, "text/markdown"],
  ["Accounts 2026.xlsx", 188_000, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  ["Backup of the laptop.tar.gz", 64_000_000, "application/gzip"],
  ["Interview with the harbour master.m4a", 18_300_000, "audio/mp4"],
  ["Lighthouse.jpg", 4_800_000, "image/jpeg"],
  ["Talk on tides.pptx", 3_700_000, "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
  ["Tide tables.csv", 96_000, "text/csv"],
  ["Voyage log.md", 14_200, "text/markdown"],
];

async function fill(cluster: TestCluster): Promise<void> {
  for (const [path, bytes, filetype] of files) {
    const filename = path.split("/").at(-1)!;
    await cluster.owner.upload({ filename, relativePath: path, filetype }, randomFile(path, bytes));
  }
  // A cluster in use was not made within this minute.
  const database = openDatabase(cluster.databaseUrl, { connectionsMax: 1, onError: console.error });
  await database.pool.query(`UPDATE entry SET modified_at = now() - interval '7 hours' * (1 + length(name) % 13)`);
  await database.pool.query(`UPDATE event SET at = at - interval '3 days'`);
  await database.pool.query(`UPDATE "user" SET name = 'Ada Kelp'`);
  await database.close();
}

async function pictureDrive(context: BrowserContext, { driveUrl }: TestCluster, scratch: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(driveUrl);
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  const drive = new DrivePage(page);
  await drive.row("Voyage log.md").waitFor();
  const paths = ["Regatta film.mp4", "Sea chart.pdf", "Crew list.txt"].map((name) => join(scratch, name));
  for (const [index, size] of [240 * MiB, 5 * MiB, 4_100].entries()) {
    writeFileSync(paths[index]!, "");
    truncateSync(paths[index]!, size);
  }
  await uploadLine(page);
  await drive.uploadFiles(...paths);
  await drive.untilSent("Regatta film.mp4", { percent: 35 });
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(PICTURES, "drive.png") });
  await drive.upload("Regatta film.mp4").getByRole("button", { name: "Cancel" }).click();
}

async function pictureConsole(context: BrowserContext, { consoleUrl, nodes }: TestCluster): Promise<void> {
  const page = await context.newPage();
  await page.goto(consoleUrl);
  await page.getByText("Up", { exact: true }).first().waitFor();
  await nodes[1]!.unplug();
  await page.getByRole("heading", { name: /node-2 is away.*two copies/ }).waitFor();
  await page.getByText(/^node-2 is down/).waitFor();
  await page.screenshot({ path: join(PICTURES, "console.png") });
}

mkdirSync(PICTURES, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "holdfast-pictures-"));
const cluster = await startTestCluster();
const browser = await chromium.launch({
  executablePath: process.env.HOLDFAST_BROWSER ?? "/usr/bin/chromium",
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
try {
  await fill(cluster);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light", reducedMotion: "reduce" });
  await pictureDrive(context, cluster, scratch);
  await pictureConsole(context, cluster);
} finally {
  await browser.close();
  await cluster.remove();
  rmSync(scratch, { recursive: true });
}
