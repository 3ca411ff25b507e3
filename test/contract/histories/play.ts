/** Plays one history on the stores and on the model. */
import { expect } from 'vitest';
import type { NewEntry, Store } from '../../../server/store/port.ts';
import { ModelLog } from '../model.ts';
import { type Harness, item, newId, newRoom } from '../support.ts';
import type { Followers } from './followers.ts';
import { itemOf } from './itemOf.ts';
import { Marks } from './marks.ts';
import type { Said, Step } from './operations.ts';
import { sameAs } from './sameAs.ts';
import { together } from './together.ts';

/** What a history uses besides the harness's own store. */
export interface Cast {
  others: readonly Store[];
  /** As in SharedHarness; undefined where an entry and its side effects are one transaction. */
  interrupted?: (entry: NewEntry, at: number) => Promise<number>;
}

export async function play(
  harness: Harness,
  cast: Cast,
  followers: Followers,
  steps: readonly Step[],
): Promise<void> {
  const rooms = [await newRoom(harness.store), await newRoom(harness.store)];
  const scene: Scene = { harness, cast, rooms, people: [newId(), newId()], before: [], died: [], now: 1_000 };
  const model = new ModelLog(rooms);
  const marks = new Marks();
  try {
    await followers.begin(stores(scene), rooms);
    for (const step of steps) {
      switch (step.tag) {
        case 'actions':
          await together(scene, model, marks, step.actions);
          break;
        case 'interrupted':
          await interrupted(scene, model, step.said);
          break;
        case 'reopen': {
          const resume = await followers.pause(0, model);
          await harness.reopen();
          await resume(harness.store);
        }
      }
    }
    await repeatInterrupted(scene, model);
    await followers.heardAll(model, await lastWords(scene, model));
    for (const store of stores(scene)) await sameAs(model, marks, store, scene.people);
  } catch (error) {
    await followers.close();
    throw error;
  }
}

export interface Scene {
  harness: Harness;
  cast: Cast;
  rooms: string[];
  people: string[];
  before: NewEntry[];
  /** Items appended by processes that died right after the commit. */
  died: NewEntry[];
  /** The server's clock: one millisecond more for each batch, so that the time of an entry identifies its batch. */
  now: number;
}

export function stores({ harness, cast }: Scene): Store[] {
  return [harness.store, ...cast.others];
}

async function interrupted(scene: Scene, model: ModelLog, said: Said): Promise<void> {
  const { entry } = itemOf(said, scene);
  const at = ++scene.now;
  const expected = model.append(entry, at, false);
  if (expected.tag === 'appended' && scene.cast.interrupted) {
    expect(await scene.cast.interrupted(entry, at)).toBe(expected.serverOffset);
    scene.died.push(entry);
  } else {
    expect((await scene.harness.store.log.append([entry], at)).results).toEqual([expected]);
  }
}

/** The author retries at any store: that applies the side effects, if no tail has applied them yet. */
async function repeatInterrupted(scene: Scene, model: ModelLog): Promise<void> {
  for (const [i, entry] of scene.died.entries()) {
    const { log } = stores(scene)[i % (1 + scene.cast.others.length)]!;
    const at = ++scene.now;
    expect((await log.append([entry], at)).results).toEqual([model.append(entry, at, false)]);
  }
}

export const LAST_WORDS = 'the end';

/** A text in every room at the end: a tail that has delivered it must have delivered everything before. */
async function lastWords({ harness, rooms, people }: Scene, model: ModelLog): Promise<NewEntry[]> {
  const items = rooms.map((room) =>
    item({ room, author: people[0]!, clientOffset: newId() }, { kind: 'text', body: LAST_WORDS }),
  );
  const { results } = await harness.store.log.append(items, 1);
  expect(results).toEqual(items.map((entry) => model.append(entry, 1, false)));
  return items;
}
