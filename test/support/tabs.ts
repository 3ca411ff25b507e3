/** The tabs of a driven browser, each with its process, so that a tab can be frozen by stopping the process. */
import type { Tab } from '../otherBrowsers/browser.ts';
import { pauseProcess, resumeProcess } from './pause.ts';

/** A window as the driver of the browser provides it. */
export type DrivenWindow = Omit<Tab, 'freeze' | 'thaw'> & { goto(url: string): Promise<void> };

/** `processes` lists the pids that run tabs. Tabs are opened one at a time, so that the new pid belongs to the new tab. */
export function openTabs(processes: () => Promise<number[]>, openWindow: () => Promise<DrivenWindow>) {
  const tabs = new Set<Tab>();
  return {
    async open(url: string): Promise<Tab> {
      const before = await processes();
      const window = await openWindow();
      await window.goto(url);
      const its = (await processes()).filter((pid) => !before.includes(pid));
      const tab: Tab = {
        run: window.run,
        click: window.click,
        type: window.type,
        freeze() {
          if (its.length !== 1)
            throw new Error(`cannot find the process of the tab: ${its.length} new processes`);
          return pauseProcess(its[0]!);
        },
        thaw: () => resumeProcess(its[0]!),
        async close() {
          tabs.delete(tab);
          await window.close();
        },
      };
      tabs.add(tab);
      return tab;
    },
    async closeAll(): Promise<void> {
      for (const tab of tabs) await tab.close();
    },
  };
}
