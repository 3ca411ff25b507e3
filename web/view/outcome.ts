import type { Outcome, Reason } from '../state/model.ts';

/** An exception is a reason, too: nobody is left before a button that stays busy. */
export async function outcomeOf<T extends Outcome>(request: () => Promise<T>): Promise<T | Refused> {
  try {
    return await request();
  } catch (error) {
    console.error(error);
    return { ok: false, reason: { code: 'internal' } };
  }
}

type Refused = { ok: false; reason: Reason };
