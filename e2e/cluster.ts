/** What every journey starts from: a real cluster, shared by the journeys of a worker, and a folder of the journey's own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OWNER, startTestCluster, type TestCluster } from "@holdfast/cluster/testing";
import { type APIRequest, type BrowserContextOptions, expect, test as base } from "@playwright/test";
import { DrivePage } from "./drive-page.ts";

type Session = Exclude<BrowserContextOptions["storageState"], string | undefined>;

interface PerTest {
  /** The Drive, the owner signed in, in a new folder named after the test. */
  drive: DrivePage;
  /** A directory that goes away after the test. */
  scratch: string;
}

interface PerWorker {
  cluster: TestCluster;
  ownerSession: Session;
}

export const test = base.extend<PerTest, PerWorker>({
  cluster: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads a fixture's needs from this pattern
    async ({}, use) => {
      const cluster = await startTestCluster({ environment: { HOLDFAST_HEARTBEAT_MS: "500", HOLDFAST_DOWN_AFTER_MS: "2500" } });
      await use(cluster);
      await cluster.remove();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  ownerSession: [
    async ({ cluster, playwright }, use) => use(await sessionFrom(playwright.request, `${cluster.driveUrl}/api/auth/sign-in/email`, OWNER)),
    { scope: "worker" },
  ],
  storageState: ({ ownerSession }, use) => use(ownerSession),
  baseURL: ({ cluster }, use) => use(cluster.driveUrl),

  drive: async ({ page }, use, { title }) => {
    const faults: Error[] = [];
    page.on("pageerror", (fault) => faults.push(fault));
    const drive = new DrivePage(page);
    await drive.openNewFolder(title);
    await use(drive);
    expect(faults).toEqual([]);
  },
  // oxlint-disable-next-line no-empty-pattern -- as above
  scratch: async ({}, use) => {
    const directory = mkdtempSync(join(tmpdir(), "holdfast-journey-"));
    await use(directory);
    rmSync(directory, { recursive: true });
  },
});

export { expect };

/** Signs in or up at `address` and returns the cookies. */
export async function sessionFrom(request: APIRequest, address: string, data: object): Promise<Session> {
  const client = await request.newContext({ extraHTTPHeaders: { origin: new URL(address).origin } });
  const answer = await client.post(address, { data });
  expect(answer.status(), await answer.text()).toBe(200);
  const session = await client.storageState();
  await client.dispose();
  return session;
}
