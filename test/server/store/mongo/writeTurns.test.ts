/** The order in which several processes write to one room. */
import { describe, expect, it } from 'vitest';
import { createKnownHeads } from '../../../../server/store/mongo/knownHeads.ts';
import { awaitTurn, createWriteTurns } from '../../../../server/store/mongo/writeTurns.ts';

function scene() {
  let now = 1_000;
  const turns = createWriteTurns('me', () => now);
  return {
    turns,
    /** Writes of these processes, `ms` milliseconds apart. */
    wrote(ms: number, ...writes: [string, number][]) {
      for (const [by, serverOffset] of writes) {
        now += ms;
        turns.wrote(by, serverOffset);
      }
    },
    later: (ms: number) => {
      now += ms;
    },
  };
}

describe('write turns of the processes in a room', () => {
  it('a process that writes alone never waits', () => {
    const { turns, wrote } = scene();
    expect(turns.waitMs()).toBe(0);
    wrote(1, ['me', 10], ['me', 20]);
    expect(turns.waitMs()).toBe(0);
  });

  it('the process that wrote least recently goes first; the others wait longer the later they wrote', () => {
    const { turns, wrote } = scene();
    wrote(3, ['me', 10], ['b', 20], ['c', 30]);
    expect(turns.waitMs()).toBe(0);
    wrote(3, ['me', 40]);
    const two = turns.waitMs();
    wrote(3, ['b', 50]);
    expect(turns.waitMs()).toBe(two / 2);
    wrote(3, ['c', 60]);
    expect(turns.waitMs()).toBe(0);
  });

  it('a process that has not written here yet does not wait', () => {
    const { turns, wrote } = scene();
    wrote(3, ['b', 10], ['c', 20]);
    expect(turns.waitMs()).toBe(0);
  });

  it('a process that does not use its turn has none until it writes again', () => {
    const { turns, wrote } = scene();
    wrote(3, ['b', 10], ['me', 20]);
    expect(turns.waitMs()).toBeGreaterThan(0);
    turns.skipOthers();
    expect(turns.waitMs()).toBe(0);
    wrote(3, ['b', 30], ['me', 40]);
    expect(turns.waitMs()).toBeGreaterThan(0);
  });

  it('a process that has not written for a second is ignored', () => {
    const { turns, wrote, later } = scene();
    wrote(3, ['b', 10]);
    later(990);
    wrote(3, ['me', 20]);
    expect(turns.waitMs()).toBeGreaterThan(0);
    later(20);
    expect(turns.waitMs()).toBe(0);
  });

  it('a turn is twice what an insert takes, at least 2 ms and at most 100', () => {
    const turnOf = (ms: number) => {
      const { turns, wrote } = scene();
      wrote(3, ['b', 1], ['me', 2]);
      for (let insert = 0; insert < 50; insert++) turns.took(ms);
      return turns.waitMs();
    };
    expect(turnOf(0.1)).toBe(2);
    expect(turnOf(20)).toBeCloseTo(40, 0);
    expect(turnOf(400)).toBe(100);
  });

  it('an acknowledged entry that the tail delivers later counts once', () => {
    const { turns, wrote } = scene();
    wrote(3, ['b', 10], ['me', 20], ['b', 30]);
    wrote(3, ['me', 20]);
    expect(turns.waitMs()).toBe(0);
  });
});

describe('waiting for a turn', () => {
  it('it comes at once when another process has written', async () => {
    const [{ turns, wrote }, heads] = [scene(), createKnownHeads()];
    wrote(90, ['b', 10], ['me', 20]);
    heads.learn('room', 20);
    const mine = awaitTurn('room', turns, heads);
    wrote(1, ['b', 30]);
    heads.learn('room', 30);
    await mine;
    expect(turns.waitMs()).toBe(0);
  });

  it('it comes after the time of the others if none of them writes', async () => {
    const [{ turns, wrote }, heads] = [scene(), createKnownHeads()];
    wrote(3, ['b', 10], ['me', 20]);
    heads.learn('room', 20);
    await awaitTurn('room', turns, heads);
    expect(turns.waitMs()).toBe(0);
  });
});
