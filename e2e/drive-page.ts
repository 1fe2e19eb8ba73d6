import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { expect, type Locator, type Page } from "@playwright/test";

interface Entry {
  id: string;
  kind: "folder" | "file";
  name: string;
  sizeBytes: number;
}

/** What a person does in the Drive. */
export class DrivePage {
  readonly page: Page;
  readonly tray: Locator;
  /** The tray's headline. */
  readonly trayStatus: Locator;

  constructor(page: Page) {
    this.page = page;
    this.tray = page.getByRole("region", { name: "Uploads" });
    this.trayStatus = this.tray.getByRole("status");
  }

  /** A folder in My Drive, opened. Returns its id. */
  async openNewFolder(name: string): Promise<string> {
    const { rootId } = await this.ask<{ rootId: string }>("account.me");
    const answer = await this.page.request.post("/api/trpc/entries.createFolder", { data: { json: { parentId: rootId, name } } });
    const id = ((await answer.json()) as { result: { data: { json: { id: string } } } }).result.data.json.id;
    await this.page.goto(`/folder/${id}`);
    await expect(this.page.getByRole("heading", { name })).toBeVisible();
    return id;
  }

  row(name: string): Locator {
    return this.page.getByRole("row").filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** The tray's row of a file. */
  upload(name: string): Locator {
    return this.tray.getByRole("listitem").filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** An item of the menu of a row. */
  async act(name: string, action: string): Promise<void> {
    await this.row(name).hover();
    await this.row(name).getByRole("button", { name: "Actions" }).click();
    await this.page.getByRole("menuitem", { name: action }).click();
  }

  async open(name: string): Promise<void> {
    await this.row(name).dblclick();
    await expect(this.page.getByRole("heading", { name })).toBeVisible();
  }

  /** Chooses in the browser's own dialog, which `opens` brings up. */
  async choose(opens: () => Promise<void>, paths: string | string[]): Promise<void> {
    const chooser = this.page.waitForEvent("filechooser");
    await opens();
    await (await chooser).setFiles(paths);
  }

  async uploadFiles(...paths: string[]): Promise<void> {
    await this.choose(() => this.newMenu("Upload files"), paths);
  }

  async uploadFolder(path: string): Promise<void> {
    await this.choose(() => this.newMenu("Upload folder"), path);
  }

  async makeFolder(name: string): Promise<void> {
    await this.newMenu("New folder");
    await this.page.getByLabel("Name", { exact: true }).fill(name);
    await this.page.getByRole("button", { name: "Create" }).click();
    await expect(this.row(name)).toBeVisible();
  }

  /** Drags files and folders of the machine over `target` and lets go. */
  async drop(target: Locator, ...paths: string[]): Promise<void> {
    const { x, y, width, height } = (await target.boundingBox())!;
    const devtools = await this.page.context().newCDPSession(this.page);
    const place = { x: x + width / 2, y: y + height / 2, data: { items: [], files: paths, dragOperationsMask: 1 } };
    for (const type of ["dragEnter", "dragOver", "drop"] as const) await devtools.send("Input.dispatchDragEvent", { type, ...place });
    await devtools.detach();
  }

  async newMenu(item: string): Promise<void> {
    await this.page.getByRole("button", { name: "New" }).click();
    await this.page.getByRole("menuitem", { name: item }).click();
  }

  /** Waits until a file is on its way, by its progress bar. */
  async untilSent(name: string, { percent }: { percent: number }): Promise<void> {
    const bar = this.tray.getByRole("progressbar", { name: `Upload of ${name}` });
    await expect.poll(async () => Number(await bar.getAttribute("aria-valuenow")), { timeout: 60_000 }).toBeGreaterThanOrEqual(percent);
  }

  /** Hex SHA-256 of what the browser saves. */
  async download(name: string): Promise<string> {
    const [download] = await Promise.all([this.page.waitForEvent("download"), this.act(name, "Download")]);
    expect(download.suggestedFilename()).toBe(name);
    const hash = createHash("sha256");
    await pipeline(createReadStream(await download.path()), hash);
    return hash.digest("hex");
  }

  /** The path and size of every file below a folder, from the server. */
  async filesIn(folderId: string, prefix = ""): Promise<Map<string, number>> {
    const { items } = await this.ask<{ items: Entry[] }>("entries.list", { parentId: folderId, limit: 1000 });
    const files = new Map<string, number>();
    for (const { id, kind, name, sizeBytes } of items) {
      if (kind === "file") files.set(prefix + name, sizeBytes);
      else for (const [path, size] of await this.filesIn(id, `${prefix}${name}/`)) files.set(path, size);
    }
    return files;
  }

  /** How much the server has of the uploads that are not finished, in bytes, by name. */
  async committed(): Promise<Record<string, number>> {
    const uploads = await this.ask<{ name: string; offset: number }[]>("uploads.unfinished");
    return Object.fromEntries(uploads.map(({ name, offset }) => [name, offset]));
  }

  async ask<Answer>(procedure: string, input?: object): Promise<Answer> {
    const query = input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify({ json: input }))}`;
    const answer = await this.page.request.get(`/api/trpc/${procedure}${query}`);
    expect(answer.status(), await answer.text()).toBe(200);
    return ((await answer.json()) as { result: { data: { json: Answer } } }).result.data.json;
  }
}

/** The person at the keyboard finds a control by Tab alone. */
export async function tabTo(page: Page, control: Locator): Promise<void> {
  await expect(control).toBeEnabled();
  const isFocused = (): Promise<boolean> => control.evaluate((element) => element.matches(":focus"));
  for (let presses = 0; presses < 40 && !(await isFocused()); presses += 1) await page.keyboard.press("Tab");
  await expect(control).toBeFocused();
}
