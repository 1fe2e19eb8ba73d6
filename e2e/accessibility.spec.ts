/** Every page for everybody: checked by machine in four looks, and the main job done without a mouse. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "@holdfast/core/kernel";
import { randomFile } from "@holdfast/cluster/testing";
import { expectAccessible } from "./accessible.ts";
import { expect, test } from "./cluster.ts";
import { type DrivePage, tabTo } from "./drive-page.ts";
import { uploadLine } from "./upload-line.ts";

/** Puts a small file into the open folder, without a word of the tray afterwards. */
async function addPlan(drive: DrivePage, scratch: string): Promise<void> {
  writeFileSync(join(scratch, "plan.txt"), "plan");
  await drive.uploadFiles(join(scratch, "plan.txt"));
  await expect(drive.trayStatus).toHaveText("1 upload done");
  await drive.tray.getByRole("button", { name: "Close" }).click();
}

test("a folder with its rows, details and the upload tray", async ({ drive, scratch }) => {
  const { page } = drive;
  await drive.makeFolder("Photos");
  await addPlan(drive, scratch);
  await drive.row("plan.txt").click();
  await expectAccessible(page, "a selected row");
  await page.keyboard.press("d");
  await expect(page.getByRole("complementary", { name: "Details" })).toContainText("copies");
  await expectAccessible(page, "details");
  await page.keyboard.press("d");

  writeFileSync(join(scratch, "film.mp4"), randomFile("accessible", 20 * MiB).bytes());
  const line = await uploadLine(page);
  await line.stall();
  await drive.uploadFiles(join(scratch, "film.mp4"));
  await drive.untilSent("film.mp4", { percent: 0 });
  await expectAccessible(page, "the upload tray");
  await drive.upload("film.mp4").getByRole("button", { name: "Pause" }).click();
  await expectAccessible(page, "a paused upload");
  await drive.upload("film.mp4").getByRole("button", { name: "Cancel" }).click();
});

test("dialogs", async ({ drive, scratch }) => {
  const { page } = drive;
  await addPlan(drive, scratch);
  await drive.act("plan.txt", "Move to…");
  await expectAccessible(page, "the question where to move");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.press("Shift+?");
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectAccessible(page, "the sheet of shortcuts");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await drive.uploadFiles(join(scratch, "plan.txt"));
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectAccessible(page, "the question about a taken name");
});

test("My Drive, the trash and wrong addresses", async ({ drive, scratch }) => {
  const { page } = drive;
  const folderAddress = page.url();
  await addPlan(drive, scratch);
  await drive.act("plan.txt", "Move to trash");
  await expect(page.getByText("Moved “plan.txt” to the trash")).toBeVisible();
  await expectAccessible(page, "an empty folder with a toast");
  await page.goto("/trash");
  await expect(drive.row("plan.txt")).toBeVisible();
  await expectAccessible(page, "the trash");
  await page.goto("/");
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  await expectAccessible(page, "My Drive");
  await page.goto("/no/such/page");
  await expectAccessible(page, "a wrong address");
  await page.goto(folderAddress.replace(/[^/]+$/, crypto.randomUUID()));
  await expect(page.getByText("This folder is not here")).toBeVisible();
  await expectAccessible(page, "a folder that is gone");
});

test("the console's pages", async ({ page, cluster }) => {
  const pages: [path: string, ready: string][] = [
    ["/", "What happened"],
    ["/nodes", "node-3"],
    ["/nodes/1", "Last heartbeat"],
    ["/nodes/999", "There is no node 999"],
    ["/history", "Capacity"],
    ["/events", "joined at"],
    ["/no/such/page", "There is no"],
  ];
  for (const [path, ready] of pages) {
    await page.goto(cluster.consoleUrl + path);
    await expect(page.getByText(ready).filter({ visible: true }).first()).toBeVisible();
    await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
    await expectAccessible(page, `console ${path}`);
  }
  await page.context().clearCookies();
  await page.goto(cluster.consoleUrl);
  await expect(page.getByRole("heading", { name: "Sign in to the console" })).toBeVisible();
  await expectAccessible(page, "console sign-in");
});

test("without a mouse: a file is uploaded, renamed, downloaded, put into a folder and trashed", async ({ drive, scratch }) => {
  const { page } = drive;
  const { keyboard } = page;
  writeFileSync(join(scratch, "letter.txt"), "by keyboard");
  await drive.makeFolder("Archive");
  await page.reload();
  await expect(drive.row("Archive")).toBeVisible();

  await tabTo(page, page.getByRole("button", { name: "New" }));
  await keyboard.press("Enter");
  await drive.choose(
    async () => {
      await keyboard.type("Upload fi");
      await keyboard.press("Enter");
    },
    join(scratch, "letter.txt"),
  );
  await expect(drive.row("letter.txt")).toBeVisible();

  await tabTo(page, page.getByRole("grid"));
  await keyboard.type("letter"); // jumps to the name
  await keyboard.press("F2");
  await keyboard.type("post");
  await keyboard.press("Enter");
  await expect(drive.row("post.txt")).toHaveAttribute("aria-selected", "true");

  await tabTo(page, page.getByRole("grid"));
  const download = page.waitForEvent("download");
  await keyboard.press("ContextMenu");
  await expect(page.getByRole("menu")).toBeVisible();
  await keyboard.type("Dow");
  await keyboard.press("Enter");
  expect((await download).suggestedFilename()).toBe("post.txt");
  await expect(page.getByRole("menu")).toHaveCount(0);

  await tabTo(page, page.getByRole("grid")); // the menu gives it back the focus, but not at once
  await keyboard.press("ContextMenu");
  await expect(page.getByRole("menu")).toBeVisible();
  await keyboard.type("Move to…");
  await keyboard.press("Enter");
  await tabTo(page, page.getByRole("dialog").getByRole("button", { name: "Archive" }));
  await keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Move here" }));
  await keyboard.press("Enter");
  await expect(drive.row("post.txt")).toHaveCount(0);

  await tabTo(page, page.getByRole("grid"));
  await keyboard.press("Home");
  await keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Archive" })).toBeVisible();
  await expect(drive.row("post.txt")).toBeVisible();
  await keyboard.press("ArrowDown");
  await keyboard.press("Delete");
  await expect(page.getByText("Nothing here yet")).toBeVisible();
});
