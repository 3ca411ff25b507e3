/**
 * One innocent: beats, appends, reads and reconnects, one after another on a fixed schedule, and measures how long each takes.
 *
 * An answer that is late delays what would have been sent meanwhile. So a latency above the schedule's interval counts for
 * the requests that it held up, too (as HdrHistogram does): a server that stands still for 2 s costs 80 samples, not one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LOBBY } from '../../../shared/mint.ts';
import { type Answer, authOf, http, newKey, openRaw, type Person, type RawSocket } from './rawClient.ts';

/** 40 requests a second: 20 beats, 10 appends, 10 ranges. Far below FRAMES_PER_SECOND and ITEMS_PER_SECOND. */
const INTERVAL_MS = 25;
/** Each innocent reconnects once in this many requests: about once a second. */
const RECONNECT_EVERY = 40;
/** Longer than ACKNOWLEDGE_WITHIN_MS: what takes so long is not answered. It counts as a latency. */
const GIVE_UP_MS = 10_000;
const ACTIONS = ['beat', 'append', 'beat', 'range'] as const;

export interface Innocent {
  /** Forgets what was measured. */
  begin(): void;
  /** Waits for the request under way. */
  end(): Promise<Measured>;
  /** Every acknowledged text: its author and clientOffset, and its serverOffset. */
  readonly acknowledged: ReadonlyMap<string, number>;
}

export interface Measured {
  latenciesMs: number[];
  /** Refusals and lost connections, in words. */
  troubles: string[];
}

/** `byHttp`: appends and ranges go over HTTP, the rest over its socket. `phase`: when it reconnects, in requests. */
export async function startInnocent(
  url: string,
  person: Person,
  { from, byHttp, phase }: { from: string; byHttp: boolean; phase: number },
): Promise<Innocent> {
  const acknowledged = new Map<string, number>();
  let latenciesMs: number[] = [];
  let troubles: string[] = [];
  let last: { serverOffset: number; at: number } | undefined;
  let isLeaving = false;
  let socket = await connect();
  let underWay: Promise<void> = Promise.resolve();
  let isBusy = false;
  void run();

  async function connect(): Promise<RawSocket> {
    const cursors = last ? { cursors: { [LOBBY]: [last.serverOffset, last.at] } } : {};
    const opened = await openRaw(url, { from, auth: authOf(person, cursors) });
    void opened.closed.then(() => {
      if (!isLeaving) troubles.push('the connection was lost');
    });
    return opened;
  }

  async function run(): Promise<never> {
    const start = performance.now();
    for (let nth = phase; ; nth++) {
      const due = start + (nth - phase) * INTERVAL_MS;
      await sleep(Math.max(0, due - performance.now()));
      if (isBusy) continue; // its latency counts for this one, too
      isBusy = true;
      underWay = timed(
        nth % RECONNECT_EVERY === 0 ? reconnect : actions[ACTIONS[nth % ACTIONS.length]!],
      ).finally(() => {
        isBusy = false;
      });
    }
  }

  async function timed(act: () => Promise<string | undefined>): Promise<void> {
    const start = performance.now();
    const trouble = await Promise.race([act(), sleep(GIVE_UP_MS, undefined, { ref: false })]).catch(
      (error: Error) => error.message,
    );
    if (trouble !== undefined) troubles.push(trouble);
    for (let ms = performance.now() - start; ms > 0; ms -= INTERVAL_MS) latenciesMs.push(ms);
    if (!socket.isOpen())
      await reconnect().catch((error: Error) => void troubles.push(`connect: ${error.message}`));
  }

  async function reconnect(): Promise<undefined> {
    isLeaving = true;
    socket.close();
    await socket.closed;
    isLeaving = false;
    socket = await connect();
  }

  const actions = {
    beat: async () => troubleIn('beat', await socket.request('beat')),
    append: async () => {
      const item = { kind: 'text', room: LOBBY, clientOffset: newKey(), body: 'an innocent remark' };
      const payload = { as: person.id, items: [item] };
      const answer = byHttp ? await posted(payload) : await socket.request('append', payload);
      const result = answer?.results?.[0];
      if (answer?.ok && result && 'serverOffset' in result) {
        acknowledged.set(`${person.id} ${item.clientOffset}`, result.serverOffset);
        last = result as unknown as { serverOffset: number; at: number };
        return undefined;
      }
      return troubleIn('append', answer) ?? `append: ${JSON.stringify(answer).slice(0, 200)}`;
    },
    range: async () => {
      if (!last) return undefined;
      const { serverOffset } = last;
      const from = Math.max(1, serverOffset - 9);
      const answer = byHttp
        ? await got(from, serverOffset)
        : await socket.request('range', { room: LOBBY, from, to: serverOffset });
      const entries = answer?.entries as { serverOffset: number }[] | undefined;
      if (answer?.ok && entries?.at(-1)?.serverOffset !== serverOffset) return 'range: lacks its own entry';
      return troubleIn('range', answer);
    },
  };

  const headers = { authorization: `Bearer ${person.token}` };
  async function posted(body: unknown): Promise<Answer | undefined> {
    return parsed((await http(url, 'POST', '/api/append', { headers, body, from })).body);
  }
  async function got(first: number, to: number): Promise<Answer | undefined> {
    const path = `/api/rooms/${LOBBY}/entries?from=${first}&to=${to}`;
    return parsed((await http(url, 'GET', path, { headers, from })).body);
  }

  return {
    acknowledged,
    begin() {
      latenciesMs = [];
      troubles = [];
    },
    async end() {
      await underWay;
      return { latenciesMs, troubles };
    },
  };
}

function parsed(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

function troubleIn(what: string, answer: Answer | undefined): string | undefined {
  if (answer === undefined) return `${what}: no answer`;
  return answer.ok ? undefined : `${what}: ${answer.error?.code} ${answer.error?.message?.slice(0, 120)}`;
}
