import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./test";

const standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
/** What colours decide: all that can differ between the two themes of one page. */
const colourRules = ["color-contrast", "link-in-text-block"];

/** The page as it stands has no accessibility fault, in the light nor in the dark; it is left in the light. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await inTheme(page, "light");
  // Next.js puts a new title in the place of the old one when it reads a page again, and a slow machine is seen in between.
  await expect(page, what).toHaveTitle(/\S/);
  expect(await faults(judge(page).withTags(standards)), what).toEqual([]);
  await inTheme(page, "dark");
  expect(await faults(judge(page).withRules(colourRules)), `${what}, in the dark`).toEqual([]);
  await inTheme(page, "light");
}

/** Without the second page that it opens to add up the findings of frames: we have none. */
const judge = (page: Page) => new AxeBuilder({ page }).setLegacyMode(true);

/** All that can be read stands in a landmark, so that nobody who jumps between them misses it. No standard asks for it, and axe calls it good practice. */
export async function expectInLandmarks(page: Page, what: string): Promise<void> {
  expect(await faults(judge(page).withRules(["region", "empty-table-header"])), what).toEqual([]);
}

/** Nothing is wider than the window. */
export async function expectFits(page: Page, what: string): Promise<void> {
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), what).toBeLessThanOrEqual(0);
}

/** As the system's setting has it, which everybody follows who has chosen nothing. */
async function inTheme(page: Page, theme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await expect(page.locator("html")).toHaveClass(new RegExp(`(^|\\s)${theme}(\\s|$)`));
  // Colours are measured once nothing fades any more.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
}

async function faults(axe: AxeBuilder): Promise<string[]> {
  const { violations } = await axe.analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
}
