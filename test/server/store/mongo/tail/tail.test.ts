/** The tail on a fake stream and a fake clock. */
import { MongoDriverError, MongoNetworkError, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { STALL_MS } from '../../../../../server/store/mongo/tail/streamFailure.ts';
import { createTails, OVERDUE_MS } from '../../../../../server/store/mongo/tail/tail.ts';
import { Unavailable } from '../../../../../server/store/port.ts';
import { silent } from '../../sqlite/harness.ts';
import { documentOf, fakeClock, fakeSource, idOf, round } from './scene.ts';

const away = () => new MongoNetworkError('connection closed');
const code = (number: number) => new MongoServerError({ message: `code ${number}`, code: number });

/** As the driver's own, which it does not export. */
class WaitQueueTimeout extends MongoDriverError {
  override get name() {
    return 'MongoWaitQueueTimeoutError';
  }
}

function scene() {
  const { source, ...questions } = fakeSource();
  const { clock, ...time } = fakeClock();
  const heard: string[] = [];
  const heads: string[] = [];
  const documents: unknown[] = [];
  const tails = createTails({
    epoch: 'E',
    source,
    clock,
    log: silent,
    onHead: (room, { serverOffset, at }) => heads.push(`${room}${serverOffset} at ${at}`),
    onDocuments: (delivered) => documents.push(...delivered),
  });
  const open = (from?: string) =>
    tails.open(from, {
      onBatch: (batch, point) =>
        void heard.push(...batch.map(({ room, entry }) => `${room}${entry.serverOffset}`), point),
      onGap: () => void heard.push('gap'),
    });
  return {
    ...questions,
    ...time,
    tails,
    open,
    heard,
    heads,
    documents,
    /** Empty rounds, a second each, until an entry that was expected before is overdue. */
    async silence(token: string) {
      for (let ms = 0; ms < OVERDUE_MS; ms += 1_000) {
        await (await questions.next()).answer(round(token));
        await time.advance(1_000);
      }
    },
    /** Answers the next round of the stream that was opened at `at`. */
    async brings(at: string, ...answer: Parameters<typeof round>) {
      const question = await questions.next();
      expect(question).toMatchObject({ what: 'round', at });
      await question.answer(round(...answer));
    },
    async fails(at: string, error: Error) {
      const question = await questions.next();
      expect(question.at).toBe(at);
      await question.fail(error);
    },
    async presentIs(time: string) {
      const question = await questions.next();
      expect(question.what).toBe('present');
      await question.answer(time);
    },
  };
}

/** Opened at the present, T1, with nothing received yet. */
async function live() {
  const it = scene();
  const opening = it.open();
  await it.presentIs('T1');
  await it.brings('T1', 'a0');
  const tail = await opening;
  return { ...it, tail };
}

describe('the tail of MongoDB', () => {
  it('L2 delivers the rounds in order, each with its resume point', async () => {
    const { brings, heard, heads, tail } = await live();
    await brings('T1', 'a1', documentOf('r', 1), documentOf('s', 7));
    await brings('T1', 'a2');
    await brings('T1', 'a3', documentOf('r', 2));
    expect(heard).toEqual(['r1', 's7', 'E:a1', 'r2', 'E:a3']);
    expect(heads).toEqual(['r1 at 1', 's7 at 1', 'r2 at 1']);
    expect(tail.isOpen()).toBe(true);
  });

  it('delivers only the public fields of an entry', async () => {
    const { source, ...questions } = fakeSource();
    const { clock } = fakeClock();
    const tails = createTails({
      epoch: 'E',
      source,
      clock,
      log: silent,
      onHead: () => {},
      onDocuments: () => {},
    });
    const seen: unknown[] = [];
    const opening = tails.open('E:a0', { onBatch: (batch) => void seen.push(...batch), onGap: () => {} });
    const stored = documentOf('r', 1, { pending: true, by: 'a process' });
    await (await questions.next()).answer(round('a1', stored));
    await opening;
    const [author, clientOffset] = [idOf('ada'), idOf('r1')];
    const entry = { serverOffset: 1, author, clientOffset, at: 1, kind: 'text', body: '1' };
    expect(seen).toEqual([{ room: 'r', entry }]);
  });

  it('S2 resumes after the last round when the connection breaks, at once and then with backoff', async () => {
    const { brings, fails, heard, tail, advance, pending, abandoned, waiting } = await live();
    await brings('T1', 'a1', documentOf('r', 1));
    await fails('T1', away());
    expect(tail.isOpen()).toBe(false);
    expect(abandoned()).toBe(1);
    for (const pause of [100, 200, 400, 800, 1_600, 2_000, 2_000]) {
      await fails('a1', away());
      expect(pending()).toEqual([pause]);
      await advance(pause - 1);
      expect(waiting()).toBe(0);
      await advance(1);
    }
    await brings('a1', 'a1');
    expect(tail.isOpen()).toBe(true);
    await brings('a1', 'a2', documentOf('r', 2));
    await fails('a1', away());
    await brings('a2', 'a3', documentOf('r', 3)); // immediately again
    expect(heard).toEqual(['r1', 'E:a1', 'r2', 'E:a2', 'r3', 'E:a3']);
  });

  it('also from its start time, when nothing was received yet', async () => {
    const it = scene();
    const opening = it.open();
    await it.presentIs('T1');
    await it.fails('T1', away());
    await it.brings('T1', 'a0', documentOf('r', 1));
    await opening;
    expect(it.heard).toEqual(['r1', 'E:a0']);
  });

  it('a stream that opens and fails repeatedly is retried with backoff', async () => {
    const { brings, fails, pending, advance } = await live();
    await fails('T1', away());
    await brings('a0', 'a0');
    await fails('a0', away());
    expect(pending()).toEqual([100]);
    await advance(100);
    await brings('a0', 'a0');
    await fails('a0', away());
    expect(pending()).toEqual([200]);
  });

  it('an entry that the stream brings twice is delivered once', async () => {
    const { brings, heard, documents } = await live();
    await brings('T1', 'a1', documentOf('r', 1), documentOf('r', 2));
    await brings('T1', 'a2', documentOf('r', 2), documentOf('r', 3));
    expect(heard).toEqual(['r1', 'r2', 'E:a1', 'r3', 'E:a2']);
    expect(documents).toEqual([documentOf('r', 1), documentOf('r', 2), documentOf('r', 3)]);
  });

  it.each([9, 40_647, 260, 286, 280, 222])(
    'a refused token (code %i): the tail resumes at the present, and reports the gap once the stream is open again',
    async (refusal) => {
      const { brings, fails, presentIs, heard, tail, advance } = await live();
      await brings('T1', 'a1', documentOf('r', 1));
      await fails('T1', away());
      await fails('a1', code(refusal));
      expect(tail.isOpen()).toBe(false);
      await advance(100);
      await presentIs('T2');
      expect(heard).toEqual(['r1', 'E:a1']);
      await brings('T2', 'b1', documentOf('r', 5));
      expect(heard).toEqual(['r1', 'E:a1', 'gap', 'r5', 'E:b1']);
    },
  );

  it('two failures at one position that are not of the network: the tail resumes at the present', async () => {
    const { brings, fails, presentIs, heard, advance } = await live();
    await fails('T1', code(8_000));
    await fails('a0', code(8_000));
    await advance(100);
    await presentIs('T2');
    await brings('T2', 'b1');
    expect(heard).toEqual(['gap']);
  });

  it('such failures at two positions in turn: the tail resumes where it was', async () => {
    const { brings, fails, heard, advance } = await live();
    await fails('T1', code(8_000));
    await brings('a0', 'a1', documentOf('r', 1));
    await fails('a0', code(8_000));
    await advance(100);
    await brings('a1', 'a2', documentOf('r', 2));
    expect(heard).toEqual(['r1', 'E:a1', 'r2', 'E:a2']);
  });

  it('a dropped collection: the tail resumes at the present, with a gap, and offsets may restart', async () => {
    const { brings, next, presentIs, heard, advance } = await live();
    await brings('T1', 'a1', documentOf('r', 9));
    await (await next()).answer({ ...round('a2'), isLast: true });
    await advance(0);
    await presentIs('T2');
    await brings('T2', 'b1', documentOf('r', 1));
    expect(heard).toEqual(['r9', 'E:a1', 'gap', 'r1', 'E:b1']);
  });

  it('a gap that was not reported yet is reported after further failures', async () => {
    const { brings, fails, presentIs, heard, next, advance } = await live();
    await fails('T1', code(286));
    await (await next()).fail(away());
    await advance(100);
    await presentIs('T2');
    await fails('T2', away());
    await advance(200);
    await brings('T2', 'b1');
    expect(heard).toEqual(['gap']);
  });

  it('a stalled stream is abandoned with its connection, and reopened where it was', async () => {
    const { next, brings, advance, tail, heard, abandoned } = await live();
    const silent = await next();
    await advance(STALL_MS - 1);
    expect(tail.isOpen()).toBe(true);
    await advance(1);
    expect(tail.isOpen()).toBe(false);
    expect(silent.signal.aborted).toBe(true);
    expect(abandoned()).toBe(1);
    await brings('a0', 'a1', documentOf('r', 1));
    await silent.answer(round('late', documentOf('r', 9)));
    expect(heard).toEqual(['r1', 'E:a1']);
    expect(tail.isOpen()).toBe(true);
  });

  it('an opening that stalls is tried again too', async () => {
    const { fails, next, brings, advance, tail } = await live();
    await fails('T1', away());
    await next();
    await advance(STALL_MS);
    await advance(100);
    await brings('a0', 'a1');
    expect(tail.isOpen()).toBe(true);
  });

  it.each([7_000, 19_000])('a resume that takes the server %i ms succeeds, without a gap', async (takes) => {
    const { advance, tail, heard, pending, next } = await live();
    await (await next()).answer(round('a1', documentOf('r', 1)));
    await next();
    await advance(STALL_MS); // the stream itself
    for (;;) {
      const resume = await next();
      expect(resume.at).toBe('a1');
      const [patience] = pending();
      if (takes < patience!) {
        await advance(takes);
        await resume.answer(round('a2', documentOf('r', 2)));
        break;
      }
      await advance(patience!);
      await advance(200); // before the next try
    }
    expect(tail.isOpen()).toBe(true);
    expect(heard).toEqual(['r1', 'E:a1', 'r2', 'E:a2']);
    await (await next()).answer(round('a3'));
    expect(pending()).toEqual([STALL_MS]);
  });

  it('after the third stall at one position the tail resumes at the present, with a gap, and has longer for it', async () => {
    const { advance, next, presentIs, brings, tail, heard } = await live();
    await next();
    await advance(STALL_MS);
    for (const times of [2, 4]) {
      expect((await next()).at).toBe('a0');
      await advance(STALL_MS * times);
      await advance(100 * times);
    }
    await presentIs('T2');
    expect((await next()).at).toBe('T2');
    await advance(STALL_MS * 7);
    expect(tail.isOpen()).toBe(false);
    await advance(STALL_MS);
    await advance(1_000);
    await brings('T2', 'b1', documentOf('r', 9));
    expect(tail.isOpen()).toBe(true);
    expect(heard).toEqual(['gap', 'r9', 'E:b1']);
  });

  it('without a free connection the database is away: the position stays valid', async () => {
    const { fails, brings, heard, advance } = await live();
    const busy = () => new WaitQueueTimeout('no connection in time');
    await fails('T1', busy());
    await fails('a0', busy());
    await advance(100);
    await brings('a0', 'a1', documentOf('r', 1));
    expect(heard).toEqual(['r1', 'E:a1']);
  });

  it('L1 an acknowledged entry that is missing from an otherwise complete stream is a gap', async () => {
    const { tails, brings, presentIs, silence, heard } = await live();
    await brings('T1', 'a1', documentOf('r', 1));
    tails.expect('r', 1);
    tails.expect('r', 2);
    await silence('a1');
    expect(heard).toEqual(['r1', 'E:a1']);
    await brings('T1', 'a1');
    await presentIs('T2');
    await brings('T2', 'b1');
    expect(heard).toEqual(['r1', 'E:a1', 'gap']);
    await silence('b1');
    await brings('T2', 'b2');
    await brings('T2', 'b3', documentOf('r', 3));
    expect(heard.slice(3)).toEqual(['r3', 'E:b3']);
  });

  it('a tail that is behind reports no gap', async () => {
    const { tails, brings, advance, heard } = await live();
    tails.expect('r', 12);
    for (let n = 1; n <= 12; n++) {
      await advance(1_000);
      await brings('T1', `a${n}`, documentOf('r', n));
      await brings('T1', `a${n}`);
    }
    await brings('T1', 'a12');
    expect(heard).not.toContain('gap');
    expect(heard).toContain('r12');
  });

  it('after a reconnect the wait for acknowledged entries restarts', async () => {
    const { tails, brings, fails, advance, heard, next } = await live();
    tails.expect('r', 1);
    await fails('T1', away());
    await (await next()).fail(away());
    await advance(OVERDUE_MS);
    await brings('a0', 'a0');
    await brings('a0', 'a0');
    await brings('a0', 'a1', documentOf('r', 1));
    expect(heard).toEqual(['r1', 'E:a1']);
  });

  it.each(['', 'garbage', 'E:', 'other:a1', 'E:not hex', 'E:a1:a2'])(
    'a resume point of another database (%j): the tail starts at the present, with a gap',
    async (point) => {
      const it = scene();
      const opening = it.open(point);
      await it.presentIs('T1');
      await it.brings('T1', 'a0');
      await opening;
      expect(it.heard).toEqual(['gap']);
    },
  );

  it('a resume point that the database refuses: the tail starts at the present, with a gap', async () => {
    const it = scene();
    const opening = it.open('E:a1');
    await it.fails('a1', code(286));
    await it.presentIs('T1');
    await it.brings('T1', 'b0');
    await opening;
    expect(it.heard).toEqual(['gap']);
  });

  it('a tail that cannot be opened at the start rejects', async () => {
    const it = scene();
    const opening = expect(it.open()).rejects.toBeInstanceOf(Unavailable);
    await (await it.next()).fail(away());
    await (await it.next()).fail(away());
    await it.advance(100);
    await (await it.next()).fail(away());
    await opening;
    await it.advance(10_000);
    expect(it.waiting()).toBe(0);
  });

  it('a closed tail delivers nothing more, whatever it was waiting for', async () => {
    const rounds = await live();
    const question = await rounds.next();
    const answered = question.answer(round('a1', documentOf('r', 1)));
    queueMicrotask(() => rounds.tail.close()); // closed between the answer and its processing
    await answered;
    const pausing = await live();
    await pausing.fails('T1', away());
    await pausing.fails('a0', away());
    await pausing.tail.close();
    await pausing.advance(10_000);
    expect([rounds.heard, rounds.waiting(), pausing.waiting()]).toEqual([[], 0, 0]);
    expect([rounds.tail.isOpen(), pausing.tail.isOpen()]).toEqual([false, false]);
    expect([...rounds.pending(), ...pausing.pending()]).toEqual([]);
  });
});
