/** Faults between the algorithm and the replica set: changed commands and replies. */

import { appendToRoom, type RoomAppend } from '../../../../../../server/store/mongo/append/appendToRoom.ts';
import type {
  AuthorKey,
  Command,
  EntryDocument,
  Replies,
  Reply,
} from '../../../../../../server/store/mongo/append/commands.ts';
import { Unavailable } from '../../../../../../server/store/port.ts';
import type { Variant } from './simulation.ts';

type Lead = NonNullable<Variant['lead']>;

interface Between {
  command?: (command: Command) => Command;
  reply?: { [D in Command['do']]?: (command: Extract<Command, { do: D }>, reply: Replies[D]) => Replies[D] };
}

/** Changes a command or its reply. */
export function between(falsify: (request: RoomAppend) => Between): Lead {
  return function* lead(request) {
    const { command, reply } = falsify(request);
    const steps = appendToRoom(request);
    let step = steps.next();
    while (!step.done) {
      const asked = command?.(step.value) ?? step.value;
      const answered = yield asked;
      const change = reply?.[asked.do] as ((command: Command, reply: Reply) => Reply) | undefined;
      step = steps.next(change?.(asked, answered) ?? answered);
    }
    return step.value;
  };
}

/** Treats a lost race as a committed head: does not wait for the other entry. */
export function takesLossForHead(): Between {
  let lost = false;
  return {
    reply: {
      insert(_, reply) {
        lost = reply.tag === 'duplicate' && reply.of === 'serverOffset';
        return reply;
      },
      'await-head': ({ beyond }, told) =>
        lost && (told?.serverOffset ?? 0) <= beyond ? { serverOffset: beyond + 1, at: 0 } : told,
    },
  };
}

export function skipsNumbers(): Between {
  let skipped = 0;
  return {
    command: (command) =>
      command.do === 'insert' ? { ...command, documents: shifted(command.documents, skipped) } : command,
    reply: {
      insert(_, reply) {
        if (reply.tag === 'duplicate' && reply.of === 'clientOffset') skipped = 1;
        return reply;
      },
    },
  };
}

function shifted(documents: readonly EntryDocument[], by: number): EntryDocument[] {
  return documents.map((document) => ({ ...document, serverOffset: document.serverOffset + by }));
}

export function* keepsHead(request: RoomAppend): ReturnType<Lead> {
  let last: EntryDocument | undefined;
  const outcome = yield* between(() => ({
    command(command) {
      if (command.do === 'insert') last = command.documents.at(-1);
      return command;
    },
  }))(request);
  return outcome.stopped && last ? { ...outcome, head: last } : outcome;
}

/** Looks up keys only after a failed insert. */
export function forgetsKeys(): Between {
  let last: Command | undefined;
  let before: Command | undefined;
  return {
    command(command) {
      before = last;
      last = command;
      return command;
    },
    reply: {
      find: (_, reply) =>
        before?.do === 'insert' || !Array.isArray(reply) ? reply : reply.map(() => undefined),
    },
  };
}

/** Answers later lookups from the first one. */
export function* targetsFirst(request: RoomAppend): ReturnType<Lead> {
  const { room, items } = request;
  const keys = items.flatMap(({ author, target, targetAuthor = author }) =>
    target ? [{ author: targetAuthor, clientOffset: target }] : [],
  );
  const first = keys.length > 0 ? yield { do: 'targets', room, keys, from: 0 } : [];
  if (!Array.isArray(first)) return yield* appendToRoom(request);
  const known = new Map(keys.map((key, i) => [`${key.author} ${key.clientOffset}`, first[i]]));
  return yield* between(() => ({
    reply: {
      targets: ({ keys }, reply) =>
        Array.isArray(reply)
          ? keys.map(
              (key, i) =>
                (known.get(`${key.author} ${key.clientOffset}`) as (typeof reply)[number]) ?? reply[i],
            )
          : reply,
    },
  }))(request);
}

/** Drops the time of the head: later entries may get an earlier time. */
export function* forgetsTimes(request: RoomAppend): ReturnType<Lead> {
  const timeless = <T>(reply: T): T =>
    typeof reply === 'object' && reply !== null && 'serverOffset' in reply ? { ...reply, at: 0 } : reply;
  const { knownHead } = request;
  return yield* between(() => ({
    reply: { head: (_, reply) => timeless(reply), 'await-head': (_, told) => timeless(told) },
  }))({ ...request, knownHead: timeless(knownHead) });
}

/** Looks up every target by the item's own author. */
export function asksForOwn({ items }: RoomAppend): Between {
  return {
    command: (command) =>
      command.do === 'targets'
        ? { ...command, keys: command.keys.map((key) => ({ ...key, author: items[0]!.author })) }
        : command,
  };
}

export function dropsSubjects(): Between {
  return {
    command: (command) =>
      command.do === 'insert'
        ? { ...command, documents: command.documents.map(({ subject: _, ...document }) => document) }
        : command,
  };
}

export function keepsTargets(): Between {
  const targets = new Map<string, number | undefined>();
  return {
    command(command) {
      if (command.do !== 'insert') return command;
      const documents = command.documents.map((document) => {
        const key = `${document.author} ${document.clientOffset}`;
        const target = targets.get(key) ?? document.target;
        targets.set(key, target);
        return target === undefined ? document : { ...document, target };
      });
      return { ...command, documents };
    },
  };
}

/** Skips an undecided item, but inserts the later ones. */
export function* goesOn(request: RoomAppend): ReturnType<Lead> {
  let left: AuthorKey | undefined;
  const outcome = yield* between(({ items }) => {
    let next: AuthorKey | undefined;
    return {
      reply: {
        insert({ documents }, reply) {
          next = reply.tag === 'duplicate' ? documents[reply.inserted] : undefined;
          return reply;
        },
        find({ keys }, reply) {
          const index = keys.findIndex((key) => next && isSame(key, next));
          if (!Array.isArray(reply) || index < 0 || reply[index]) return reply;
          left ??= next;
          const digest = digestOf(items, next!)!;
          return reply.with(index, { serverOffset: 0, at: 0, digest, kind: 'text' });
        },
      },
    };
  })(request);
  const end = left ? request.items.findIndex((item) => isSame(item, left!)) : -1;
  if (end < 0) return outcome;
  return {
    ...outcome,
    results: outcome.results.slice(0, end),
    stopped: new Unavailable('left'),
    head: undefined,
  };
}

function isSame(one: AuthorKey, other: AuthorKey): boolean {
  return one.author === other.author && one.clientOffset === other.clientOffset;
}

export function digestOf(items: RoomAppend['items'], key: AuthorKey): string | undefined {
  return items.find((item) => isSame(item, key))?.digest;
}
