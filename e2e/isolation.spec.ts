/** Two people in one cluster: what is one's does not exist for the other. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { OWNER } from "@holdfast/cluster/testing";
import { expect, sessionFrom, test } from "./cluster.ts";

test("a second user opens the owner's addresses: not found, by page and by program; the console is closed", async ({
  drive,
  scratch,
  cluster,
  browser,
  playwright,
}) => {
  const folderAddress = drive.page.url();
  writeFileSync(join(scratch, "private.txt"), "for the owner's eyes");
  await drive.uploadFiles(join(scratch, "private.txt"));
  await expect(drive.trayStatus).toHaveText("1 upload done");
  const fileId = (await drive.row("private.txt").getAttribute("data-entry-id"))!;
  const fileAddress = `${cluster.driveUrl}/api/files/${fileId}/content`;
  expect((await drive.page.request.get(fileAddress)).status()).toBe(200);

  const stranger = { name: "Second User", email: "second@example.test", password: "another long password" };
  const session = await sessionFrom(playwright.request, `${cluster.driveUrl}/api/auth/sign-up/email`, stranger);
  const context = await browser.newContext({ storageState: session });
  const page = await context.newPage();

  await page.goto(cluster.driveUrl);
  await expect(page.getByRole("button", { name: "Account of Second User" })).toBeVisible();
  await expect(page.getByText("Nothing here yet")).toBeVisible();

  await page.goto(folderAddress);
  await expect(page.getByText("This folder is not here")).toBeVisible();
  await expect(page.getByText("private.txt")).toHaveCount(0);
  expect((await page.request.get(fileAddress)).status()).toBe(404);

  await page.goto(cluster.consoleUrl);
  await expect(page.getByRole("heading", { name: "The console is for admins" })).toBeVisible();
  expect((await page.request.get(`${cluster.consoleUrl}/api/cluster`)).status()).toBe(403);
  await context.close();
});

test("nobody signed in: the folder's address leads to sign-in and, after it, to the folder", async ({ drive, browser, cluster }) => {
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.goto(drive.page.url());
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(drive.page.url());
  expect((await context.request.get(`${cluster.consoleUrl}/api/cluster`)).status()).toBe(200);
  await context.close();
});
