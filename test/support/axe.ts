/** Accessibility checks of a page with axe-core. */
import type { Page } from '@playwright/test';
import axe from 'axe-core';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export interface Look {
  colorScheme: 'light' | 'dark';
  viewport: { width: number; height: number };
}

const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 800 };

export const LIGHT_PHONE: Look = { colorScheme: 'light', viewport: PHONE };
export const DARK_DESK: Look = { colorScheme: 'dark', viewport: DESK };

const LOOKS: readonly Look[] = [
  LIGHT_PHONE,
  { colorScheme: 'dark', viewport: PHONE },
  DARK_DESK,
  { colorScheme: 'light', viewport: DESK },
];

/** One sentence for each element that breaks a rule in one of the color schemes and sizes. */
export async function violations(page: Page, where: string, looks = LOOKS): Promise<string[]> {
  const found: string[] = [];
  for (const { colorScheme, viewport } of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' }); // so that no element is in the middle of a transition
    const broken = await run(page);
    found.push(...broken.map((sentence) => `${where}, ${colorScheme}, ${viewport.width} px: ${sentence}`));
  }
  return found;
}

async function run(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) {
    await page.evaluate(axe.source); // by the debugger, since the content security policy of the page allows no other scripts
    await page.evaluate(removeTouchTargets);
  }
  return page.evaluate(async (values) => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const result = await axe.run({ runOnly: { type: 'tag', values }, resultTypes: ['violations'] });
    return result.violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id} (${help}) ${html} ${failureSummary}`),
    );
  }, RULES);
}

/** Removes the enlarged touch targets: axe does not check the contrast of a text that is covered by one. */
function removeTouchTargets(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('button.meta::after { content: none }');
  document.adoptedStyleSheets = [sheet];
}
