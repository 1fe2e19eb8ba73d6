/** Files and folders as people handle them every day. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type RandomFile, randomFile } from "@holdfast/cluster/testing";
import { expect, test } from "./cluster.ts";
import { tabTo } from "./drive-page.ts";
import { makeMixedFolder } from "./mixed-folder.ts";

function writeFile(directory: string, name: string, file: RandomFile): string {
  writeFileSync(join(directory, name), file.bytes());
  return join(directory, name);
}

test("five files chosen at once: the tray counts them, the list shows them, one comes back byte for byte", async ({ drive, scratch }) => {
  const files = [1, 2, 3, 4, 5].map((size) => randomFile(`several ${size}`, size * 1_500_000));
  const paths = files.map((file, index) => writeFile(scratch, `part ${index + 1}.bin`, file));
  await drive.uploadFiles(...paths);
  await expect(drive.trayStatus).toHaveText("5 uploads done");

  for (const path of paths) await expect(drive.row(basename(path))).toBeVisible();
  expect(await drive.download("part 5.bin")).toBe(files[4]!.sha256());
});

test("a folder of 200 files, nested, of many scripts, one empty: every one arrives with its name and size", async ({ drive, scratch }) => {
  const sizes = makeMixedFolder(join(scratch, "Ǝverything 🪸"));
  await drive.uploadFolder(join(scratch, "Ǝverything 🪸"));
  await expect(drive.trayStatus).toHaveText("200 uploads done", { timeout: 90_000 });

  await drive.open("Ǝverything 🪸");
  const folderId = drive.page.url().split("/").at(-1)!;
  expect(await drive.filesIn(folderId)).toEqual(sizes);
  await expect(drive.row("kelp 🪸 forest 🌊.jpg")).toBeVisible();
  await expect(drive.row("empty.txt")).toContainText("0 B");

  await drive.open("תמונות");
  expect(await drive.download("קובץ.txt")).toBe(randomFile("תמונות/קובץ.txt", sizes.get("תמונות/קובץ.txt")!).sha256());
});

test("a file and a folder dropped on a folder's row go into that folder", async ({ drive, scratch }) => {
  await drive.makeFolder("Letters");
  mkdirSync(join(scratch, "to council/2026"), { recursive: true });
  writeFile(join(scratch, "to council/2026"), "parking.txt", randomFile("parking", 700));
  await drive.drop(drive.row("Letters"), writeFile(scratch, "to all.txt", randomFile("all", 800)), join(scratch, "to council"));
  await expect(drive.trayStatus).toHaveText("2 uploads done");
  await drive.open("Letters");
  await expect(drive.row("to all.txt")).toBeVisible();
  await drive.open("to council");
  await drive.open("2026");
  await expect(drive.row("parking.txt")).toContainText("700 B");
});

test("names and places: rename in place, move by dialog and by drag, each taken back by Undo", async ({ drive, scratch }) => {
  const { page } = drive;
  const undo = async (toast: string): Promise<void> => {
    await page.getByRole("listitem").filter({ hasText: toast }).getByRole("button", { name: "Undo" }).click();
  };
  await drive.makeFolder("Contracts");
  await drive.uploadFiles(writeFile(scratch, "draft.txt", randomFile("draft", 2_000)));
  await expect(drive.trayStatus).toHaveText("1 upload done");

  await drive.row("draft.txt").click();
  await page.keyboard.press("F2");
  await page.keyboard.type("final"); // the extension is not selected
  await page.keyboard.press("Enter");
  await expect(drive.row("final.txt")).toBeVisible();
  await undo("Renamed to “final.txt”");
  await expect(drive.row("draft.txt")).toBeVisible();

  await drive.row("draft.txt").dragTo(drive.row("Contracts"));
  await expect(drive.row("draft.txt")).toHaveCount(0);
  await undo("Moved “draft.txt” to “Contracts”");
  await expect(drive.row("draft.txt")).toBeVisible();

  await drive.act("draft.txt", "Move to…");
  const dialog = page.getByRole("dialog", { name: "Move “draft.txt”" });
  await dialog.getByRole("button", { name: "Contracts" }).press("Enter");
  await tabTo(page, dialog.getByRole("button", { name: "Move here" }));
  await page.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(drive.row("draft.txt")).toHaveCount(0);
  await drive.open("Contracts");
  await expect(drive.row("draft.txt")).toBeVisible();
});

test("trash: undone at once, restored later, deleted forever after a question", async ({ drive, scratch }) => {
  const { page } = drive;
  const folderAddress = page.url();
  const names = ["trash restore.txt", "trash forever.txt"];
  await drive.uploadFiles(...names.map((name) => writeFile(scratch, name, randomFile(name, 3_000))));
  await expect(drive.trayStatus).toHaveText("2 uploads done");

  for (const name of names) await drive.row(name).getByRole("checkbox").click();
  await page.keyboard.press("Delete");
  await expect(page.getByText("Nothing here yet")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  for (const name of names) await expect(drive.row(name)).toBeVisible();

  for (const name of names) await drive.act(name, "Move to trash");
  await page.getByRole("link", { name: "Trash" }).click();
  await drive.act(names[0]!, "Restore");
  await expect(drive.row(names[0]!)).toHaveCount(0);
  await drive.act(names[1]!, "Delete forever");
  await page.getByRole("dialog", { name: "Delete “trash forever.txt” forever?" }).getByRole("button", { name: "Delete forever" }).click();
  await expect(drive.row(names[1]!)).toHaveCount(0);

  await page.goto(folderAddress);
  await expect(drive.row(names[0]!)).toBeVisible();
  await expect(drive.row(names[1]!)).toHaveCount(0);
});

test("a name that is taken is asked about once: keep both, replace or skip", async ({ drive, scratch }) => {
  const { page } = drive;
  const [old, fresh] = [randomFile("old", 5_000), randomFile("fresh", 6_000)];
  const names = ["report.pdf", "notes.pdf"];
  await drive.uploadFiles(...names.map((name) => writeFile(scratch, name, old)));
  await expect(drive.trayStatus).toHaveText("2 uploads done");

  mkdirSync(join(scratch, "again"));
  const again = names.map((name) => writeFile(join(scratch, "again"), name, fresh));
  const answer = async (choice: string): Promise<void> => page.getByRole("dialog").getByRole("button", { name: choice }).click();

  await drive.uploadFiles(...again);
  await page.getByRole("checkbox", { name: "Do the same" }).check();
  await answer("Keep both");
  await expect(drive.trayStatus).toHaveText("4 uploads done");
  expect(await drive.download("report.pdf")).toBe(old.sha256());
  expect(await drive.download("report (2).pdf")).toBe(fresh.sha256());
  await expect(drive.row("notes (2).pdf")).toBeVisible();

  await drive.uploadFiles(...again);
  await answer("Replace");
  await expect(page.getByRole("dialog", { name: "“notes.pdf” is here already" })).toBeVisible();
  await answer("Skip");
  await expect(drive.trayStatus).toHaveText("5 uploads done");
  expect(await drive.download("report.pdf")).toBe(fresh.sha256());
  expect(await drive.download("notes.pdf")).toBe(old.sha256());
});
