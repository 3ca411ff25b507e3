/** The retry budget: which appends stop, and when. */
import { describe, expect, it } from 'vitest';
import { appendToRoom, type RoomOutcome } from '../../../../../server/store/mongo/append/appendToRoom.ts';
import type { Command, Reply } from '../../../../../server/store/mongo/append/commands.ts';
import { duplicate, INSERTED, newest, ROOM, text } from './converse.ts';

const a = text('a');

describe('retry budget', () => {
  it.each(['serverOffset', 'clientOffset'] as const)(
    'no progress, and a duplicate %s: it stops after 5 s',
    (of) => {
      const { outcome, waitedMs } = lead((command) => {
        if (command.do === 'insert') return duplicate(of);
        return command.do === 'find' ? [undefined] : newest(4);
      });
      expect(outcome.stopped).toBeDefined();
      expect(waitedMs).toBeGreaterThanOrEqual(5_000);
      expect(waitedMs).toBeLessThan(6_000);
    },
  );

  it('other processes always win: it stops after a thousand races', () => {
    let head = 4;
    const { outcome, inserts } = lead((command) =>
      command.do === 'insert' ? duplicate('serverOffset') : newest(++head),
    );
    expect(outcome).toMatchObject({ results: [], head: undefined });
    expect(outcome.stopped).toBeDefined();
    expect(inserts).toBe(1_001);
  });

  it('L5 a long batch with progress has no time limit', () => {
    const items = ['a', 'b', 'c'].map((key) => text(key));
    let [head, races] = [4, 0];
    const { outcome } = lead((command) => {
      if (command.do !== 'insert') return newest(++head);
      races += 1;
      if (races % 600 > 0) return duplicate('serverOffset');
      return command.documents.length === 1 ? INSERTED : duplicate('serverOffset', 1);
    }, items);
    expect(outcome.stopped).toBeUndefined();
    expect(outcome.results).toHaveLength(3);
  });

  function lead(
    reply: (command: Command) => Reply,
    items = [a],
  ): {
    outcome: RoomOutcome;
    waitedMs: number;
    inserts: number;
  } {
    const request = { room: ROOM, exists: true, items, at: 0, knownHead: newest(4) };
    const steps = appendToRoom(request);
    let [waitedMs, inserts] = [0, 0];
    let step = steps.next();
    while (!step.done) {
      if (step.value.do === 'await-head') waitedMs += step.value.atMostMs;
      if (step.value.do === 'insert') inserts += 1;
      step = steps.next(reply(step.value));
    }
    return { outcome: step.value, waitedMs, inserts };
  }
});
