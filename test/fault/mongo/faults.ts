/** Random faults of a database and of the network to it, chosen by a seed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Document } from 'mongodb';
import type { MongoServer } from '../../support/mongo/index.ts';
import type { TcpProxy } from '../../support/proxy.ts';
import type { Random } from '../../support/random.ts';

/** Resolves when the fault has ended and everything works again. */
export interface Fault {
  name: string;
  strike(random: Random): Promise<void>;
}

/** Longer than the timeout after which the outcome of a write is unknown. */
export const LONG_MS = 6_500;

/** The network between the processes and their database. */
export function networkFaults(proxy: TcpProxy): Fault[] {
  return [
    { name: 'connections cut', strike: async () => proxy.cut() },
    {
      name: 'connection cut in the middle of a command or an answer',
      strike: async (random) => proxy.cutAfter(random.int(1, 4_000), random.pick(['up', 'down'])),
    },
    {
      name: 'connections refused',
      strike: async (random) => {
        proxy.refuse();
        await sleep(random.int(50, 1_500));
        proxy.pass();
      },
    },
    {
      name: 'network stalled',
      strike: async (random) => {
        proxy.stall();
        await sleep(random.int(200, 3_000));
        if (random.next() < 0.5) proxy.cut();
        proxy.pass();
      },
    },
    {
      name: 'answers lost',
      strike: async (random) => {
        proxy.swallowAnswers();
        await sleep(random.int(50, 500));
        proxy.cut(); // a connection that has lost bytes is unusable
        proxy.pass();
      },
    },
  ];
}

/** Failing database commands, by fail points. The next fail point replaces one that no command has met. */
export function commandFaults(mongo: MongoServer): Fault[] {
  const fail = (name: string, data: (random: Random) => Document): Fault => ({
    name,
    strike: async (random) => {
      await mongo.clearFailPoints();
      await mongo.failPoint(data(random), { times: random.int(1, 4) });
    },
  });
  return [
    fail('insert fails before it is written', (random) => ({
      failCommands: ['insert'],
      errorCode: random.pick(BEFORE),
    })),
    fail('insert fails after it is written', (random) => ({
      failCommands: ['insert'],
      writeConcernError: { code: random.pick(AFTER), errmsg: 'after it is written' },
    })),
    fail('connection closed at insert', () => ({ failCommands: ['insert'], closeConnection: true })),
    fail('insert waits', (random) => ({
      failCommands: ['insert'],
      blockConnection: true,
      blockTimeMS: random.int(50, LONG_MS),
    })),
    fail('getMore fails', (random) => ({ failCommands: ['getMore'], errorCode: random.pick(OF_CURSORS) })),
    fail('connection closed at getMore', () => ({ failCommands: ['getMore'], closeConnection: true })),
    fail('getMore waits', (random) => ({
      failCommands: ['getMore'],
      blockConnection: true,
      blockTimeMS: random.int(50, LONG_MS),
    })),
    fail('getMore waits, and its place is lost meanwhile', (random) => ({
      failCommands: ['getMore'],
      blockConnection: true,
      blockTimeMS: random.int(500, 1_500),
      errorCode: HISTORY_LOST,
    })),
    fail('reads fail', (random) => ({
      failCommands: ['find', 'aggregate'],
      errorCode: random.pick(BEFORE),
    })),
    fail('update fails', (random) => ({ failCommands: ['update'], errorCode: random.pick(BEFORE) })),
  ];
}

/** Faults of the database process, and step-downs of the primary. */
export function databaseFaults(mongo: MongoServer): Fault[] {
  return [
    { name: 'primary steps down', strike: (random) => mongo.stepDown(random.int(1, 3)) },
    {
      name: 'database killed by -9',
      strike: async (random) => {
        await mongo.kill9();
        await sleep(random.int(0, 500));
        await mongo.start();
      },
    },
    {
      name: 'database stopped',
      strike: async (random) => {
        await mongo.pause();
        await sleep(random.int(500, LONG_MS));
        mongo.resume();
      },
    },
  ];
}

// HostUnreachable, NetworkTimeout, PrimarySteppedDown, InterruptedDueToReplStateChange, NotWritablePrimary, MaxTimeMSExpired
const BEFORE = [6, 89, 189, 11602, 10107, 50];
// WriteConcernTimeout, ShutdownInProgress, PrimarySteppedDown
const AFTER = [64, 91, 189];
// CursorNotFound, CappedPositionLost, CursorKilled, ChangeStreamHistoryLost, ChangeStreamFatalError
const HISTORY_LOST = 286;
const OF_CURSORS = [43, 136, 237, HISTORY_LOST, 280];
