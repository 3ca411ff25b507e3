/** The messages between a writer process and its parent. */
import type { Committed, LogStore } from '../../../../server/store/port.ts';

export type Call = 'append' | 'find' | 'heads' | 'range';

export interface Asked {
  id: number;
  call: Call;
  args: unknown[];
}

export type Said =
  | { say: 'open' }
  | { say: 'answer'; id: number; value: unknown }
  /** `Unavailable`, which is expected. Any other error ends the process, and the test. */
  | { say: 'unavailable'; id: number }
  | { say: 'tail'; batch: Committed[] }
  | { say: 'gap' };

export type Answer<C extends Call> = Awaited<ReturnType<LogStore[C]>>;
