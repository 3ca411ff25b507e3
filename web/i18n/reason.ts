import type { Reason } from '../state/model.ts';
import { type Texts, t } from './index.ts';

/** Where something did not work: the same code means another thing at the name field and at a message. */
export type Place = Exclude<keyof Texts['reasons'], 'other'>;

/** A sentence for the person: ours for the code, else what the server said, else that it did not work. */
export function sentence(reason: Reason, place: Place = 'any'): string {
  return (
    own(t.reasons[place], reason.code) ?? own(t.reasons.any, reason.code) ?? reason.message ?? t.reasons.other
  );
}

function own(table: Record<string, string>, code: string): string | undefined {
  return Object.hasOwn(table, code) ? table[code] : undefined;
}
