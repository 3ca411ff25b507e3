/** What the main thread can ask of the database's thread, and what goes between them. */
import type { DatabaseSync } from 'node:sqlite';
import { appendOn } from './append.ts';
import type { FaultKind } from './faults.ts';
import { readsOn } from './reads.ts';
import { roomsOn } from './rooms.ts';
import { usersOn } from './users.ts';

/** Every call, by group and name. They are synchronous: one at a time, in the order they were asked. */
export function callsOn(db: DatabaseSync) {
  const answers = db.prepare('SELECT epoch FROM meta');
  return {
    log: { append: appendOn(db), ...readsOn(db) },
    users: usersOn(db),
    rooms: roomsOn(db),
    database: {
      ping: (): void => {
        answers.get();
      },
    },
  };
}

export type Calls = ReturnType<typeof callsOn>;
export type Group = keyof Calls;
// biome-ignore lint/suspicious/noExplicitAny: any function at all
type Fn = (...args: any) => any;
export type Method<G extends Group> = keyof Calls[G] & string;
export type Arguments<G extends Group, M extends Method<G>> = Calls[G][M] extends Fn
  ? Parameters<Calls[G][M]>
  : never;
export type Answer<G extends Group, M extends Method<G>> = Calls[G][M] extends Fn
  ? ReturnType<Calls[G][M]>
  : never;

type Call = {
  [G in Group]: {
    [M in Method<G>]: { tag: 'call'; id: number; group: G; method: M; args: Arguments<G, M> };
  }[Method<G>];
}[Group];

/** Main thread → database. */
export type ToDatabase = Call | { tag: 'close' };

/** Database → main thread: `opened` or `unusable` once, then a reply per call in order. */
export type FromDatabase =
  | { tag: 'opened'; epoch: string }
  | { tag: 'unusable'; message: string }
  | { tag: 'answer'; id: number; value: unknown }
  | { tag: 'fault'; id: number; kind: FaultKind; message: string };

/** One side of the port, as it is where nothing has to be waited for. */
export type Sync<Part> = {
  [Name in keyof Part]: Part[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Value
    : never;
};
