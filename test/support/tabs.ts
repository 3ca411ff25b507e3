/** The tabs of a driven browser and the process that each of them runs in, which can be stopped. */
import type { Tab } from '../otherBrowsers/browser.ts';
import { pauseProcess, resumeProcess } from './pause.ts';

/** A window as the browser's driver has it. */
export type DrivenWindow = Omit<Tab, 'freeze' | 'thaw'> & { goto(url: string): Promise<void> };

/** `processes`: those that tabs run in. One is opened after the other, so that what is new belongs to the new one. */
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
            throw new Error(`the tab’s process is not known: ${its.length} were new with it`);
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
