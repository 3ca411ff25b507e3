/** A page that a new build is deployed for. */
import { expect, type Page } from '@playwright/test';

/** Makes the page look for a new build, as when the user returns to it. */
export async function untilOffered(page: Page): Promise<void> {
  await expect(async () => {
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await expect(page.getByText('A new version is ready')).toBeVisible({ timeout: 1_000 });
  }).toPass();
}

/** The name of `publishNewBuild`, undefined for the build before it. */
export function buildOf(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.documentElement.dataset.build);
}
