/** An operator breaks a node by its button and watches the cluster heal itself, while a user goes on reading. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { OWNER, randomFile, startTestCluster, type TestCluster } from "@holdfast/cluster/testing";
import { MiB } from "@holdfast/core/kernel";
import { openDatabase } from "@holdfast/db";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./accessible.ts";
import { expect, sessionFrom, test as journey } from "./cluster.ts";

const HEALING = {
  HOLDFAST_NODES: "4",
  HOLDFAST_HEARTBEAT_MS: "500",
  HOLDFAST_DOWN_AFTER_MS: "2500",
  HOLDFAST_REPAIR_AFTER_MS: "0",
  HOLDFAST_SIMULATE_FAULTS: "1",
};
const PATIENT = { timeout: 60_000 };

/** Four nodes: with three, a lost node leaves no place for a third copy. */
const test = journey.extend<object, { cluster: Awaited<ReturnType<typeof startTestCluster>> }>({
  cluster: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads a fixture's needs from this pattern
    async ({}, use) => {
      const cluster = await startTestCluster({ environment: HEALING });
      await use(cluster);
      await cluster.remove();
    },
    { scope: "worker", timeout: 120_000 },
  ],
});

async function openConsole(drive: Page, address: string): Promise<Page> {
  const page = await drive.context().newPage();
  await page.goto(address);
  return page;
}

/** Long enough for the console to ask for the password before anything dangerous. */
async function signedInAnHourAgo({ databaseUrl }: TestCluster): Promise<void> {
  const database = openDatabase(databaseUrl, { connectionsMax: 1, onError: () => undefined });
  await database.pool.query("UPDATE session SET created_at = created_at - interval '1 hour'");
  await database.close();
}

test("a node is failed by its button: the file stays readable, its copies are made again and read back, the node returns", async ({
  drive,
  scratch,
  cluster,
  playwright,
}) => {
  const file = randomFile("healing", 64 * MiB);
  writeFileSync(join(scratch, "archive.zip"), file.bytes());
  await drive.uploadFiles(join(scratch, "archive.zip"));
  await expect(drive.trayStatus).toHaveText("1 upload done", PATIENT);
  expect(await sessionFrom(playwright.request, `${cluster.consoleUrl}/api/auth/sign-in/email`, OWNER)).toBeDefined();

  const console = await openConsole(drive.page, `${cluster.consoleUrl}/nodes`);
  const row = console.getByRole("row").filter({ has: console.getByRole("link", { name: "node-2" }) });
  const headline = console.getByRole("heading", { level: 1 });
  const overview = console.getByRole("link", { name: "Overview" });
  await expect(row).toContainText("Up");

  await test.step("the fault is chosen, the password is asked for again, and it happens", async () => {
    await signedInAnHourAgo(cluster);
    await row.getByRole("button", { name: "Actions for node-2" }).click();
    await console.getByRole("menuitem", { name: "Simulate a fault…" }).click();
    await expectAccessible(console, "choosing a fault");
    await console.getByRole("radio", { name: /^Kill/ }).check();
    await console.getByLabel("For how many seconds").fill("600");
    await console.getByRole("button", { name: "Simulate" }).click();
    const password = console.getByLabel("Password");
    await expect(password).toBeFocused();
    await expectAccessible(console, "the password is asked for again");
    await console.keyboard.type("not this one");
    await console.keyboard.press("Enter");
    await expect(console.getByRole("alert")).toHaveText("The password is not right.");
    await password.fill(OWNER.password);
    await console.keyboard.press("Enter");
    await expect(console.getByRole("dialog")).toHaveCount(0);
    await expect(row).toContainText("Down", PATIENT);
  });

  await test.step("meanwhile the file is read", async () => {
    await drive.page.bringToFront();
    expect(await drive.download("archive.zip")).toBe(file.sha256());
  });

  await test.step("the repair is shown, and ends when every copy was read back", async () => {
    await console.bringToFront();
    await overview.click();
    const repair = console.getByRole("listitem").filter({ hasText: "Repair" });
    await expect(repair.first()).toContainText("Done", PATIENT);
    await expect(console.getByText(/every copy read back/).first()).toBeVisible(PATIENT);
    await expect(headline).not.toContainText("one copy", PATIENT);
    await expectAccessible(console, "a repair that is done");
  });

  await test.step("recovered, the node is up again, and the state is ok", async () => {
    await console.goto(`${cluster.consoleUrl}/nodes`);
    await row.getByRole("button", { name: "Actions for node-2" }).click();
    await console.getByRole("menuitem", { name: "Recover" }).click();
    await expect(row).toContainText("Up", PATIENT);
    const state = async (): Promise<string> => (await cluster.operator.get<{ state: string }>("/api/cluster")).state;
    await expect.poll(state, PATIENT).toBe("ok");
  });
  expect(await drive.download("archive.zip")).toBe(file.sha256());
});

test("a fault that is refused says why beside the form, which stays open", async ({ drive, cluster }) => {
  const console = await openConsole(drive.page, `${cluster.consoleUrl}/nodes`);
  await console.getByRole("button", { name: "Actions for node-1" }).click();
  await console.getByRole("menuitem", { name: "Simulate a fault…" }).click();
  const dialog = console.getByRole("dialog");
  expect((await cluster.operator.json("POST", "/api/confirm", { password: OWNER.password })).status).toBe(200); // its session may be old
  const { nodes } = await cluster.operator.get<{ nodes: { id: number; name: string }[] }>("/api/cluster");
  const node = `/api/cluster/nodes/${nodes.find(({ name }) => name === "node-1")!.id}`;
  expect((await cluster.operator.json("POST", `${node}/simulate`, { fault: "pause", seconds: 60 })).status).toBe(200);
  await dialog.getByRole("button", { name: "Simulate" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Recover it first", PATIENT);
  await expectAccessible(console, "a refused fault");
  expect((await cluster.operator.json("POST", `${node}/recover`, {})).status).toBe(200);
});

test("a drain is previewed before it begins; one that cannot end says what blocks it", async ({ drive, scratch, cluster }) => {
  const file = randomFile("drained", 24 * MiB);
  writeFileSync(join(scratch, "drained.bin"), file.bytes());
  await drive.uploadFiles(join(scratch, "drained.bin"));
  await expect(drive.trayStatus).toHaveText("1 upload done", PATIENT);

  const console = await openConsole(drive.page, `${cluster.consoleUrl}/nodes`);
  const row = (name: string) => console.getByRole("row").filter({ has: console.getByRole("link", { name }) });
  const drain = async (name: string): Promise<void> => {
    await row(name)
      .getByRole("button", { name: `Actions for ${name}` })
      .click();
    await console.getByRole("menuitem", { name: "Drain…" }).click();
  };
  await drain("node-4");
  const dialog = console.getByRole("dialog");
  await expect(dialog).toContainText("To copy");
  await expectAccessible(console, "the preview of a drain");
  await dialog.getByRole("button", { name: "Drain" }).click();
  await expect(row("node-4")).toContainText("draining", PATIENT);
  await console.getByRole("link", { name: "Overview" }).click();
  await expect(console.getByRole("listitem").filter({ hasText: "Drain node-4" }).first()).toContainText("Done", PATIENT);

  await console.goto(`${cluster.consoleUrl}/nodes`);
  await drain("node-3");
  await expect(dialog).toContainText(/add a node/i);
  expect(await drive.download("drained.bin")).toBe(file.sha256());
});
