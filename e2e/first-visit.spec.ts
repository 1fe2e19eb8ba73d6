/** A Drive that nobody owns yet, from the first address typed to the second sign-in, by keyboard alone. */
import { startNewTestCluster } from "@holdfast/cluster/testing";
import { expect, test } from "@playwright/test";
import { expectAccessible } from "./accessible.ts";
import { tabTo } from "./drive-page.ts";

test("first visit: the visitor makes the owner, lands in My Drive, leaves, mistypes and comes back", async ({ page }) => {
  const cluster = await startNewTestCluster();
  const { keyboard } = page;
  const typeOver = async (text: string): Promise<void> => {
    await keyboard.press("ControlOrMeta+A");
    await keyboard.type(text);
  };

  await test.step("every address leads to set-up", async () => {
    await page.goto(`${cluster.driveUrl}/trash`);
    await expect(page.getByRole("heading", { name: "Welcome to your Drive" })).toBeVisible();
    await expectAccessible(page, "set-up");
  });

  await test.step("a form left empty says what is missing, field by field", async () => {
    await expect(page.getByLabel("Your name")).toBeFocused();
    await keyboard.press("Enter");
    await expect(page.getByText("Enter your name.")).toBeVisible();
    await expect(page.getByText("Use at least 8 characters.")).toBeVisible();
  });

  await test.step("the owner is made and is signed in", async () => {
    await keyboard.type("Ada Kelp");
    await keyboard.press("Tab");
    await keyboard.type("ada@example.test");
    await keyboard.press("Tab");
    await keyboard.type("three roots, one stone");
    await keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "My Drive" })).toBeVisible();
    await expect(page.getByText("Nothing here yet")).toBeVisible();
    await expectAccessible(page, "an empty My Drive");
  });

  await test.step("signing out", async () => {
    await tabTo(page, page.getByRole("button", { name: "Account of Ada Kelp" }));
    await keyboard.press("Enter");
    await expect(page.getByRole("menuitem", { name: "Sign out" })).toBeFocused();
    await keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  });

  await test.step("a wrong password is told, the right one lets in", async () => {
    await expect(page.getByLabel("Email")).toBeFocused();
    await keyboard.type("ada@example.test");
    await keyboard.press("Tab");
    await keyboard.type("two roots, one stone");
    await keyboard.press("Enter");
    await expect(page.getByRole("alert").filter({ hasText: "is not right" })).toBeVisible();
    await expectAccessible(page, "a refused sign-in");

    await expect(page.getByLabel("Password")).toBeFocused();
    await typeOver("three roots, one stone");
    await keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "My Drive" })).toBeVisible();
  });

  await test.step("a sign-in that is sent before any script has loaded keeps the password out of the address", async () => {
    const context = await page.context().browser()!.newContext({ javaScriptEnabled: false });
    const unscripted = await context.newPage();
    await unscripted.goto(`${cluster.driveUrl}/sign-in`);
    await unscripted.getByLabel("Email").fill("ada@example.test");
    await unscripted.getByLabel("Password").fill("three roots, one stone");
    const sent = unscripted.waitForRequest((request) => request.isNavigationRequest());
    await unscripted.getByRole("button", { name: "Sign in" }).click();
    expect((await sent).url()).not.toContain("password");
    expect(unscripted.url()).not.toContain("password");
    await context.close();
  });

  await cluster.remove();
});
