/** What an answer to `append` says of each item, by docs/PROTOCOL.md's table of errors. Pure. */
import { assertNever } from '../../shared/never.ts';
import { classOf } from '../../shared/protocol/codes.ts';
import type { Acknowledgement, Answer, WireError } from '../../shared/protocol/index.ts';

export type Verdict = { clientOffset: string } & (
  | { type: 'acknowledged'; serverOffset: number; at: number }
  | { type: 'refused'; error: WireError }
  | { type: 'uncertain'; error: WireError }
  | { type: 'put-off' }
  | { type: 'unanswered' }
);

/** How the drain goes on after an answer. `rest` without `ms` leaves the time to the backoff. */
export type Next =
  | { tag: 'on' }
  | { tag: 'rest'; ms: number | undefined }
  /** The request was refused as a whole, and which item is to blame is not known: one at a time. */
  | { tag: 'single' }
  | { tag: 'stop'; why: 'auth' | 'upgrade' };

export interface Judged {
  verdicts: Verdict[];
  next: Next;
}

export function judge(keys: readonly string[], answer: Acknowledgement<'append'>): Judged {
  return answer.ok ? judgeResults(keys, answer) : judgeRequest(keys, answer.error);
}

export function unanswered(keys: readonly string[]): Verdict[] {
  return keys.map((clientOffset) => ({ clientOffset, type: 'unanswered' }));
}

function judgeResults(keys: readonly string[], { results, stopped }: Answer<'append'>): Judged {
  if (results.some((result, i) => result.clientOffset !== keys[i])) return judgeRequest(keys, OUT_OF_ORDER);
  const judged = keys.map((clientOffset, i): Judged => {
    const result = results[i];
    if (result && 'serverOffset' in result) {
      const { serverOffset, at } = result;
      return { verdicts: [{ clientOffset, type: 'acknowledged', serverOffset, at }], next: { tag: 'on' } };
    }
    if (result) return judgeItem(clientOffset, result.error);
    if (stopped && i === results.length) return judgeItem(clientOffset, stopped, 'stopped');
    return { verdicts: [{ clientOffset, type: 'put-off' }], next: { tag: 'rest', ms: stopped?.retryAfter } };
  });
  return {
    verdicts: judged.flatMap(({ verdicts }) => verdicts),
    next: gravest(judged.map(({ next }) => next)),
  };
}

function judgeRequest(keys: readonly string[], error: WireError): Judged {
  const blamed = classOf(error.code) === 'permanent' || classOf(error.code) === 'uncertain';
  if (blamed && keys.length > 1) return { verdicts: putOff(keys), next: { tag: 'single' } };
  const judged = keys.map((clientOffset) => judgeItem(clientOffset, error));
  return {
    verdicts: judged.flatMap(({ verdicts }) => verdicts),
    next: gravest(judged.map(({ next }) => next)),
  };
}

/** A server stops only at what passes: whatever its code, the item is not refused by that. */
function judgeItem(clientOffset: string, error: WireError, at: 'item' | 'stopped' = 'item'): Judged {
  const errorClass = classOf(error.code);
  switch (errorClass) {
    case 'transient':
      return { verdicts: putOff([clientOffset]), next: { tag: 'rest', ms: error.retryAfter } };
    case 'uncertain':
      return {
        verdicts: [{ clientOffset, type: 'uncertain', error }],
        next: { tag: 'rest', ms: error.retryAfter },
      };
    case 'auth':
    case 'upgrade':
      return { verdicts: putOff([clientOffset]), next: { tag: 'stop', why: errorClass } };
    case 'permanent':
      if (at === 'stopped')
        return { verdicts: putOff([clientOffset]), next: { tag: 'rest', ms: error.retryAfter } };
      return { verdicts: [{ clientOffset, type: 'refused', error }], next: { tag: 'on' } };
    default:
      return assertNever(errorClass);
  }
}

function gravest(nexts: readonly Next[]): Next {
  const stop = nexts.find((next) => next.tag === 'stop');
  if (stop) return stop;
  const rests = nexts.filter((next) => next.tag === 'rest');
  if (rests.length === 0) return { tag: 'on' };
  const told = rests.flatMap(({ ms }) => ms ?? []);
  return { tag: 'rest', ms: told.length > 0 ? Math.max(...told) : undefined };
}

function putOff(keys: readonly string[]): Verdict[] {
  return keys.map((clientOffset) => ({ clientOffset, type: 'put-off' }));
}

const OUT_OF_ORDER: WireError = {
  code: 'unreadable',
  message: 'The results do not belong to what was sent.',
};
