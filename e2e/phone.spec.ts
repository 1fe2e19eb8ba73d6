/** By thumb, on a screen of 360 pixels. */
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "@holdfast/core/kernel";
import { expect, test } from "./cluster.ts";
import { uploadLine } from "./upload-line.ts";

test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

test("an upload and a toast at once: New stays within reach, with the list of uploads open and closed", async ({ drive, scratch }) => {
  const { page } = drive;
  const film = join(scratch, "film.mp4");
  writeFileSync(film, "");
  truncateSync(film, 200 * MiB);
  for (const name of ["First", "Second"]) await drive.makeFolder(name);
  const line = await uploadLine(page);
  await line.stall();
  await drive.uploadFiles(film);

  const pressNew = async (): Promise<void> => {
    await page.getByRole("button", { name: "New", exact: true }).tap();
    await expect(page.getByRole("menuitem", { name: "New folder" })).toBeVisible();
    await page.keyboard.press("Escape");
  };
  const trash = async (name: string): Promise<void> => {
    await page.getByRole("button", { name: `Actions for ${name}` }).tap();
    await page.getByRole("menuitem", { name: "Move to trash" }).tap();
    await expect(page.getByText(`Moved “${name}” to the trash`)).toBeVisible();
  };
  await trash("First");
  await pressNew();
  await page.getByRole("button", { name: "Hide the list" }).tap();
  await trash("Second");
  await pressNew();

  await page.getByRole("button", { name: "Pause all" }).tap();
  await line.free();
  await page.getByRole("button", { name: "Show the list" }).tap();
  await drive.upload("film.mp4").getByRole("button", { name: "Cancel" }).tap();
  await expect.poll(() => drive.committed()).toEqual({}); // nothing is left for whoever signs in next
});
