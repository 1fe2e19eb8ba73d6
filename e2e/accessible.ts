import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const WIDTHS = [1280, 360];
const rules = {
  light: (axe: AxeBuilder) => axe,
  dark: (axe: AxeBuilder) => axe.withRules(["color-contrast"]), // nothing else depends on it
};

/** In light and dark, wide and on a phone: no violation that a machine can find, and nothing to scroll sideways. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      // "Legacy" examines this page in this page; for frames, which we have none of, it would open another.
      const { violations } = await rules[colorScheme](new AxeBuilder({ page }).setLegacyMode()).analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
      expect.soft(found, `${what}, ${colorScheme}, ${width} px`).toEqual([]);
    }
    const overflow = await page.locator("html").evaluate((html) => html.scrollWidth - html.clientWidth);
    expect.soft(overflow, `${what}: pixels beyond the right edge at ${width} px`).toBe(0);
  }
  await page.setViewportSize({ width: WIDTHS[0]!, height: 800 });
}
