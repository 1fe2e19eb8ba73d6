/** Uploads that are cut off, stopped or locked out, and go on from what the server has. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "@holdfast/core/kernel";
import { OWNER, randomFile } from "@holdfast/cluster/testing";
import type { Page, Request } from "@playwright/test";
import { expect, test } from "./cluster.ts";
import { uploadLine } from "./upload-line.ts";

const file = randomFile("resumed", 100 * MiB);
const NAME = "film.mp4";

let path: string;
test.beforeEach(({ scratch }) => {
  path = join(scratch, NAME);
  writeFileSync(path, file.bytes());
});

/** Every request of the page that carries bytes of an upload, from now on. */
function watchSending(page: Page): Request[] {
  const requests: Request[] = [];
  page.on("request", (request) => request.method() === "PATCH" && requests.push(request));
  return requests;
}

test("the page is reloaded half-way: the same file chosen again goes on where the server is, nothing is sent twice", async ({ drive }) => {
  const { page } = drive;
  const line = await uploadLine(page);
  await drive.uploadFiles(path);
  await drive.untilSent(NAME, { percent: 50 });
  await line.stall();
  await page.reload();
  await expect(drive.trayStatus).toHaveText("1 upload was interrupted");
  await line.free();

  const committed = (await drive.committed())[NAME]!;
  expect(committed).toBeGreaterThan(0);
  const requests = watchSending(page);
  await drive.choose(() => drive.tray.getByRole("button", { name: "Choose files…" }).click(), path);
  await expect(drive.trayStatus).toHaveText("1 upload done", { timeout: 60_000 });

  expect(requests.map((request) => Number(request.headers()["upload-offset"]))).toEqual([committed]);
  expect(await requests[0]!.headerValue("content-length")).toBe(String(file.length - committed));
  expect(await drive.download(NAME)).toBe(file.sha256());
});

test("another file of the same name is not taken for the interrupted one", async ({ drive, scratch }) => {
  const { page } = drive;
  const line = await uploadLine(page);
  await drive.uploadFiles(path);
  await drive.untilSent(NAME, { percent: 10 });
  await line.stall();
  await page.reload();

  writeFileSync(join(scratch, NAME), "something else");
  await drive.choose(() => drive.tray.getByRole("button", { name: "Choose files…" }).click(), path);
  await expect(page.getByText(`“${NAME}” is not the file that was interrupted`)).toBeVisible();
  await drive.tray.getByRole("button", { name: "Discard" }).click();
  await expect(drive.tray).toHaveCount(0);
  await expect.poll(() => drive.committed()).toEqual({});
});

test("paused, it sends nothing; resumed, it goes on; cancelled, nothing is left of it", async ({ drive }) => {
  const line = await uploadLine(drive.page);
  const requests = watchSending(drive.page);
  await drive.uploadFiles(path);
  await drive.untilSent(NAME, { percent: 30 });
  await line.stall();
  await drive.upload(NAME).getByRole("button", { name: "Pause" }).click();
  await expect(drive.trayStatus).toHaveText("1 upload paused");
  await expect.poll(() => requests[0]!.failure()).not.toBeNull();
  expect(requests).toHaveLength(1);

  await drive.upload(NAME).getByRole("button", { name: "Resume" }).click();
  await expect.poll(() => requests.length).toBe(2);
  expect(Number(requests[1]!.headers()["upload-offset"])).toBeGreaterThan(0);

  await drive.upload(NAME).getByRole("button", { name: "Cancel" }).click();
  await line.free();
  await expect(drive.tray).toHaveCount(0);
  await expect.poll(() => drive.committed()).toEqual({});
  await expect(drive.page.getByText("Nothing here yet")).toBeVisible();
});

test("a file is downloaded while another is on its way: nobody is asked to leave the page, and the upload goes on", async ({
  drive,
  scratch,
}) => {
  const { page } = drive;
  const questions: string[] = [];
  page.on("dialog", async (dialog) => {
    questions.push(dialog.type());
    await dialog.accept();
  });
  const song = randomFile("song", MiB);
  writeFileSync(join(scratch, "song.flac"), song.bytes());
  const line = await uploadLine(page);
  await drive.uploadFiles(join(scratch, "song.flac"), path);
  await drive.untilSent(NAME, { percent: 10 });
  await line.stall();

  expect(await drive.download("song.flac")).toBe(song.sha256());
  expect(questions).toEqual([]);
  await line.free();
  await expect(drive.trayStatus).toHaveText("2 uploads done", { timeout: 60_000 });
});

test("the session ends in mid-upload: the tray asks to sign in, and then the upload goes on", async ({ drive, context }) => {
  const { page } = drive;
  const folderAddress = page.url();
  const line = await uploadLine(page);
  await drive.uploadFiles(path);
  await drive.untilSent(NAME, { percent: 30 });
  await line.stall();
  await context.clearCookies();
  await drive.upload(NAME).getByRole("button", { name: "Pause" }).click();
  await line.free();

  const requests = watchSending(page);
  await drive.upload(NAME).getByRole("button", { name: "Resume" }).click();
  await expect(drive.trayStatus).toHaveText("Sign in again to continue");
  await drive.tray.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Sign in" }).click();

  await expect(page).toHaveURL(folderAddress);
  await expect(drive.trayStatus).toHaveText("1 upload done", { timeout: 60_000 });
  expect(Number(requests.at(-1)!.headers()["upload-offset"])).toBeGreaterThan(0);
  expect(await drive.download(NAME)).toBe(file.sha256());
});
