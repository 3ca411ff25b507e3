/** Concurrent actions: a single one must do exactly what the model does; several must fit the resulting log. */
import { expect } from 'vitest';
import type { AppendResult } from '../../../server/store/port.ts';
import type { ModelLog } from '../model.ts';
import { asRead, asReadMeanwhile, explained, type Sent } from './checks.ts';
import { itemOf } from './itemOf.ts';
import type { Marks } from './marks.ts';
import type { Action } from './operations.ts';
import { type Scene, stores } from './play.ts';

export async function together(scene: Scene, model: ModelLog, marks: Marks, actions: readonly Action[]) {
  const isAlone = actions.length === 1;
  const before = snapshot(model);
  const sent: Sent[] = [];
  const checks: (() => void)[] = [];

  /** Starts an action; the returned function waits for its result. */
  function start(action: Action): () => Promise<void> {
    const all = stores(scene);
    const store = all[action.store % all.length]!;
    switch (action.tag) {
      case 'append': {
        const items = action.batch.map((one) => itemOf(one, scene));
        const batch = { items, at: ++scene.now, results: [] as AppendResult[] };
        sent.push(batch);
        return async () => {
          const { results, stopped } = await store.log.append(
            items.map(({ entry }) => entry),
            batch.at,
          );
          expect(stopped).toBeUndefined();
          batch.results = results.map((one) => (one.tag === 'failed' ? { ...one, message: '' } : one));
        };
      }
      case 'range': {
        const room = scene.rooms[action.room]!;
        const asked = { room, from: action.from, to: action.from + action.length };
        return async () => {
          const read = await store.log.range(room, asked.from, asked.to, 1_000_000);
          checks.push(() =>
            isAlone ? asRead(model, asked, read) : asReadMeanwhile(model, before, asked, read),
          );
        };
      }
      case 'mark': {
        const [room, person] = [scene.rooms[action.room]!, scene.people[action.person]!];
        const asked = marks.ask(room, person, action.upTo);
        return async () => {
          await store.rooms.mark([{ room, user: person, upTo: action.upTo }]);
          const [holds = 0] = await store.rooms.readUpTo(person, [room]);
          checks.push(() => asked.answered(holds, model.lastJoin(room, person)));
        };
      }
    }
  }

  const started = actions.map(start); // all items are registered before any is sent
  await Promise.all(started.map((run) => run()));
  const [only] = sent;
  if (sent.length === 1 && only) {
    expect(only.results).toEqual(
      only.items.map(({ entry, isPoisoned }) => model.append(entry, only.at, isPoisoned)),
    );
  } else if (sent.length > 1) {
    await explained(model, before, scene.harness.store, sent);
  }
  for (const check of checks) check();
}

export type Snapshot = ReturnType<typeof snapshot>;

/** State of the rooms before a step: heads, and entries that were redacted already. */
function snapshot(model: ModelLog) {
  return new Map(
    [...model.rooms].map(([room, log]) => [
      room,
      { head: log.length, blank: new Set(log.filter((one) => one.deleted).map((one) => one.serverOffset)) },
    ]),
  );
}
