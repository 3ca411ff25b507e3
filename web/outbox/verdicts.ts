/** What an answer to `append` says of each item, by docs/PROTOCOL.md's table of errors. Pure. */
import { assertNever } from '../../shared/never.ts';
import { classOf } from '../../shared/protocol/codes.ts';
import type { Acknowledgement, Answer, Item, WireError } from '../../shared/protocol/index.ts';

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
  /** Where an item failed for now, with what the server asked to wait: it may be the room alone that does not answer. */
  failing: readonly Failing[];
}

export interface Failing {
  room: string;
  ms: number | undefined;
  /** The server went no further there, and whether that was for this room is not known. */
  stopped: boolean;
}

/** What is judged of an item. */
export type Sent = Pick<Item, 'room' | 'clientOffset'>;

export function judge(sent: readonly Sent[], answer: Acknowledgement<'append'>): Judged {
  return answer.ok ? judgeResults(sent, answer) : judgeRequest(sent, answer.error);
}

export function unanswered(sent: readonly Pick<Sent, 'clientOffset'>[]): Verdict[] {
  return sent.map(({ clientOffset }) => ({ clientOffset, type: 'unanswered' }));
}

function judgeResults(sent: readonly Sent[], { results, stopped }: Answer<'append'>): Judged {
  if (results.some((result, i) => result.clientOffset !== sent[i]?.clientOffset))
    return judgeRequest(sent, OUT_OF_ORDER);
  return together(
    sent.map((item, i): Judged => {
      const result = results[i];
      if (result && 'serverOffset' in result) {
        const { clientOffset, serverOffset, at } = result;
        return judged({ clientOffset, type: 'acknowledged', serverOffset, at }, ON);
      }
      if (result) return judgeItem(item, result.error);
      if (stopped && i === results.length) return judgeStop(item, stopped);
      return judged(putOff(item), { tag: 'rest', ms: stopped?.retryAfter });
    }),
  );
}

function judgeRequest(sent: readonly Sent[], error: WireError): Judged {
  const errorClass = classOf(error.code);
  const isBlamed = errorClass === 'permanent' || errorClass === 'uncertain';
  if (isBlamed && sent.length > 1)
    return { verdicts: sent.map(putOff), next: { tag: 'single' }, failing: [] };
  if (errorClass === 'permanent') return together(sent.map((item) => judgeItem(item, error)));
  const all = together(sent.map((item) => judgeStop(item, error)));
  return sent.length > 1 ? { ...all, failing: [] } : all; // of several, none is the one
}

/** An item that failed for now is its room's matter, but for the limits, which are the user's. */
function judgeItem(item: Sent, error: WireError): Judged {
  const { clientOffset, room } = item;
  const { code, retryAfter: ms } = error;
  const errorClass = classOf(code);
  switch (errorClass) {
    case 'transient':
      if (code === 'rate-limited') return judged(putOff(item), { tag: 'rest', ms });
      return judged(putOff(item), ON, { room, ms, stopped: false });
    case 'uncertain':
      return judged({ clientOffset, type: 'uncertain', error }, ON, { room, ms, stopped: false });
    case 'auth':
    case 'upgrade':
      return judged(putOff(item), { tag: 'stop', why: errorClass });
    case 'permanent':
      return judged({ clientOffset, type: 'refused', error }, ON);
    default:
      return assertNever(errorClass);
  }
}

/** A server stops only at what passes: whatever its code, the item is not refused by that. */
function judgeStop(item: Sent, error: WireError): Judged {
  const { clientOffset, room } = item;
  const { code, retryAfter: ms } = error;
  const errorClass = classOf(code);
  if (errorClass === 'auth' || errorClass === 'upgrade')
    return judged(putOff(item), { tag: 'stop', why: errorClass });
  const verdict: Verdict =
    errorClass === 'uncertain' ? { clientOffset, type: 'uncertain', error } : putOff(item);
  const failing = code === 'rate-limited' ? undefined : { room, ms, stopped: true };
  return judged(verdict, { tag: 'rest', ms }, failing);
}

function judged(verdict: Verdict, next: Next, failing?: Failing): Judged {
  return { verdicts: [verdict], next, failing: failing ? [failing] : [] };
}

function together(all: readonly Judged[]): Judged {
  return {
    verdicts: all.flatMap(({ verdicts }) => verdicts),
    next: gravest(all.map(({ next }) => next)),
    failing: all.flatMap(({ failing }) => failing),
  };
}

function gravest(nexts: readonly Next[]): Next {
  const stop = nexts.find((next) => next.tag === 'stop');
  if (stop) return stop;
  const rests = nexts.filter((next) => next.tag === 'rest');
  if (rests.length === 0) return ON;
  const told = rests.flatMap(({ ms }) => ms ?? []);
  return { tag: 'rest', ms: told.length > 0 ? Math.max(...told) : undefined };
}

function putOff({ clientOffset }: Sent): Verdict {
  return { clientOffset, type: 'put-off' };
}

const ON: Next = { tag: 'on' };

const OUT_OF_ORDER: WireError = {
  code: 'unreadable',
  message: 'The results do not belong to what was sent.',
};
