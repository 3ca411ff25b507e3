/**
 * The processes that append: a queue of batches per room, the algorithm, and what a process remembers of a room. The
 * scheduler decides when each reply is delivered, so a writer can pause or die between any two steps.
 */

import {
  appendToRoom,
  type RoomAppend,
  type RoomOutcome,
} from '../../../../../../server/store/mongo/append/appendToRoom.ts';
import type {
  Command,
  Reply,
  RoomHead,
  Steps,
} from '../../../../../../server/store/mongo/append/commands.ts';
import { Unavailable } from '../../../../../../server/store/port.ts';
import type { Random } from '../../../../../support/random.ts';
import type { Batch } from './devices.ts';
import type { Client, Network } from './network.ts';
import type { Member } from './replicaSet.ts';
import type { Witness } from './witness.ts';

export interface Writer extends Client {
  enqueue(batch: Batch): void;
  /** Starts an append in a room with waiting items and no append in flight; each at another time of the clock. */
  begin(random: Random, moment: number): boolean;
  /** Its tail delivers what a member knows to be committed. */
  hear(room: string, head: Heard): void;
  /** Ends a wait for the head: the head has moved, or the time is over. */
  wake(random: Random, timeIsOver: boolean): boolean;
  crash(): void;
}

/** A read of many heads returns only their serverOffsets. */
type Heard = Pick<RoomHead, 'serverOffset'> & Partial<RoomHead>;

interface Line {
  waiting: Batch[];
  head: Heard | undefined;
  underWay: { stop: () => void } | undefined;
  awaits: { beyond: number; wake: () => void } | undefined;
}

export interface Around {
  network: Network;
  witness: Witness;
  believesIn: Member;
  /** The time of its clock. */
  clock: (moment: number) => number;
  /** Runs the algorithm; broken variants replace this. */
  lead: (request: RoomAppend) => Steps<RoomOutcome>;
}

export const leadSoundly = appendToRoom;

export function createWriter({ network, witness, believesIn, clock, lead }: Around): Writer {
  const lines = new Map<string, Line>();

  function lineOf(room: string): Line {
    const line = lines.get(room) ?? { waiting: [], head: undefined, underWay: undefined, awaits: undefined };
    lines.set(room, line);
    return line;
  }

  function begin(room: string, line: Line, random: Random, moment: number) {
    const batches = line.waiting.splice(0, random.int(1, 3));
    const items = batches.flatMap((batch) => batch.items);
    const knownHead = wholly(line.head);
    const headBefore = witness.headOf(room);
    const at = clock(moment);
    const by = `${moment}`;
    const steps = lead({ room, exists: true, items, at, knownHead });

    function on(step: IteratorResult<Command, RoomOutcome>) {
      if (step.done) end(step.value);
      else ask(step.value, (reply) => on(steps.next(reply)));
    }

    function ask(command: Command, answer: (reply: Reply) => void) {
      if (command.do === 'await-head') {
        line.underWay = { stop: () => undefined };
        line.awaits = { beyond: command.beyond, wake: () => answer(wholly(line.head)) };
        return;
      }
      line.underWay = { stop: network.send(writer, marked(command, by), answer) };
    }

    function end({ results, stopped, head }: RoomOutcome) {
      line.underWay = undefined;
      // the tail may be ahead; a committed head stays valid, whatever the algorithm reads again
      line.head = head && greater(head, line.head);
      witness.answers({ items, results, at, by, headBefore, knownHead: knownHead?.serverOffset ?? 0 });
      let rest = results;
      for (const batch of batches) {
        const part = rest.slice(0, batch.items.length);
        rest = rest.slice(batch.items.length);
        batch.answer({ results: part, ...(stopped && { stopped }) });
      }
    }

    on(steps.next());
  }

  const writer: Writer = {
    believesIn,
    isPaused: false,

    enqueue(batch) {
      lineOf(batch.room).waiting.push(batch);
    },

    begin(random, moment) {
      if (writer.isPaused) return false;
      const ready = [...lines].filter(([, line]) => line.waiting.length > 0 && !line.underWay);
      if (ready.length === 0) return false;
      begin(...random.pick(ready), random, moment);
      return true;
    },

    hear(room, head) {
      const line = lineOf(room);
      line.head = greater(head, line.head);
    },

    wake(random, timeIsOver) {
      if (writer.isPaused) return false;
      const ready = [...lines.values()].filter(
        ({ awaits, head }) => awaits && (timeIsOver || (head?.serverOffset ?? 0) > awaits.beyond),
      );
      if (ready.length === 0) return false;
      const line = random.pick(ready);
      const { wake } = line.awaits!;
      line.awaits = undefined;
      wake();
      return true;
    },

    crash() {
      for (const { waiting, underWay } of lines.values()) {
        underWay?.stop();
        for (const batch of waiting) batch.answer({ results: [], stopped: new Unavailable('crashed') });
      }
      lines.clear();
      writer.isPaused = false;
    },
  };
  return writer;
}

/** Undefined if the time of its entry is unknown. */
function wholly(head: Heard | undefined): RoomHead | undefined {
  return head?.at === undefined ? undefined : { serverOffset: head.serverOffset, at: head.at };
}

function greater(one: Heard, other: Heard | undefined): Heard {
  if (!other || one.serverOffset > other.serverOffset) return one;
  return one.serverOffset === other.serverOffset ? { ...one, ...other } : other;
}

/** Lets the witness recognise the writer of an entry. */
function marked<C extends Command>(command: C, by: string): C {
  if (command.do !== 'insert') return command;
  return { ...command, documents: command.documents.map((document) => ({ ...document, by })) };
}
