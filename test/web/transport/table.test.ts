/** Every phase of the connection with every event. A new phase or event has no cells in the table, and does not compile. */
import { describe, expect, test } from 'vitest';
import { type ConnectionEvent, reduceConnection } from '../../../web/transport/connection.ts';
import { initialState, nextAlarmAt, type Phase } from '../../../web/transport/transportState.ts';

const NOW = 100_000;
const CALLING = { tag: 'connecting', since: NOW - 1_000, userWaitsSince: undefined } as const;
const LIVE = {
  tag: 'open',
  since: NOW - 1_000,
  welcomed: true,
  heardAt: NOW - 1_000,
  beatBy: undefined,
} as const;

const PHASES = {
  asleep: { asleep: { tag: 'asleep' } },
  backoff: {
    backoff: { tag: 'backoff', until: NOW + 1_000, serverDelay: false },
    serverDelay: { tag: 'backoff', until: NOW + 1_000, serverDelay: true },
  },
  connecting: {
    calling: CALLING,
    /** The user is waiting for this attempt already. */
    awaited: { ...CALLING, userWaitsSince: NOW - 500 },
    /** It has lasted longer than a user waits. */
    long: { ...CALLING, since: NOW - 5_000 },
  },
  open: {
    opened: { ...LIVE, welcomed: false },
    unsure: { ...LIVE, welcomed: false, beatBy: NOW + 500 },
    live: LIVE,
    doubted: { ...LIVE, beatBy: NOW + 500 },
  },
  refused: { refused: { tag: 'refused', why: 'signed-out' } },
} satisfies { [Tag in Phase['tag']]: Record<string, Extract<Phase, { tag: Tag }>> };

type Column = { [Tag in Phase['tag']]: keyof (typeof PHASES)[Tag] }[Phase['tag']];
type EventName = ConnectionEvent['type'] | 'refused a while' | 'refused for good';

const EVENTS: Record<EventName, ConnectionEvent> = {
  visible: { type: 'visible' },
  pageshow: { type: 'pageshow' },
  resume: { type: 'resume' },
  hidden: { type: 'hidden' },
  freeze: { type: 'freeze' },
  pagehide: { type: 'pagehide' },
  online: { type: 'online' },
  'network-changed': { type: 'network-changed' },
  offline: { type: 'offline' },
  opened: { type: 'opened' },
  upgraded: { type: 'upgraded' },
  welcomed: { type: 'welcomed' },
  received: { type: 'received' },
  refused: { type: 'refused', code: 'unavailable', retryAfter: undefined },
  'refused a while': { type: 'refused', code: 'rate-limited', retryAfter: 2_000 },
  'refused for good': { type: 'refused', code: 'unauthorized', retryAfter: undefined },
  failed: { type: 'failed' },
  identified: { type: 'identified', stranger: true },
  closed: { type: 'closed' },
  bye: { type: 'bye', retryAfter: 2_000 },
  /** At the time of `nextAlarmAt`. */
  clock: { type: 'clock' },
  'unsent-changed': { type: 'unsent-changed', hasUnsent: true },
  reached: { type: 'reached' },
  uploading: { type: 'uploading', bytes: 1_000 },
  suspect: { type: 'suspect' },
  unusable: { type: 'unusable' },
  'signed-in': { type: 'signed-in' },
  stopped: { type: 'stopped', why: 'auth' },
};

/** What comes out, and what is true of the phase then: the same tag, where nothing is said. */
const CELLS = {
  '·': [[]],
  connect: [['connect'], 'connecting'],
  anew: [['teardown', 'connect'], 'connecting'],
  soon: [[], 'awaited'],
  opens: [[], 'open'],
  hello: [[], 'welcomed'],
  beat: [['beat'], 'asked'],
  alive: [[], 'not asked'],
  lost: [[], 'backoff'],
  leave: [['teardown'], 'backoff'],
  delay: [['teardown'], 'serverDelay'],
  sleep: [['teardown'], 'asleep'],
  over: [['teardown'], 'refused'],
} satisfies Record<string, [effects: string[], then?: string]>;

const COLUMNS = [
  'asleep',
  'backoff',
  'serverDelay',
  'calling',
  'awaited',
  'long',
  'opened',
  'unsure',
  'live',
  'doubted',
  'refused',
] as const satisfies Column[];
const NONE_LEFT_OUT: Exclude<Column, (typeof COLUMNS)[number]> extends never ? true : never = true;

type Row<Columns = typeof COLUMNS> = { [Each in keyof Columns]: keyof typeof CELLS };

// biome-ignore format: a table
const TABLE: Record<EventName, Row> = {
  //                   asleep     backoff    srvDelay   calling  awaited  long     opened   unsure   live     doubted  refused
  visible:            ['connect', 'connect', '·',       'soon',  '·',     'anew',  'beat',  '·',     'beat',  '·',     '·'],
  pageshow:           ['connect', 'connect', '·',       'soon',  '·',     'anew',  'beat',  '·',     'beat',  '·',     '·'],
  resume:             ['connect', 'connect', '·',       'soon',  '·',     'anew',  'beat',  '·',     'beat',  '·',     '·'],
  hidden:             ['·',       '·',       '·',       '·',     '·',     '·',     '·',     '·',     '·',     '·',     '·'],
  freeze:             ['sleep',   'sleep',   '·',       'sleep', 'sleep', 'sleep', 'sleep', 'sleep', 'sleep', 'sleep', '·'],
  pagehide:           ['sleep',   'sleep',   '·',       'sleep', 'sleep', 'sleep', 'sleep', 'sleep', 'sleep', 'sleep', '·'],
  online:             ['connect', 'connect', '·',       'anew',  'anew',  'anew',  'beat',  '·',     'beat',  '·',     '·'],
  'network-changed':  ['connect', 'connect', '·',       'anew',  'anew',  'anew',  'beat',  '·',     'beat',  '·',     '·'],
  offline:            ['·',       '·',       '·',       '·',     '·',     '·',     'beat',  '·',     'beat',  '·',     '·'],
  opened:             ['·',       '·',       '·',       'opens', 'opens', 'opens', '·',     '·',     '·',     '·',     '·'],
  upgraded:           ['·',       '·',       '·',       '·',     '·',     '·',     '·',     '·',     '·',     '·',     '·'],
  welcomed:           ['·',       '·',       '·',       '·',     '·',     '·',     'hello', 'hello', '·',     '·',     '·'],
  received:           ['·',       '·',       '·',       '·',     '·',     '·',     '·',     'alive', '·',     'alive', '·'],
  refused:            ['·',       '·',       '·',       'leave', 'leave', 'leave', '·',     '·',     '·',     '·',     '·'],
  'refused a while':  ['·',       '·',       '·',       'delay',  'delay',  'delay',  '·',     '·',     '·',     '·',     '·'],
  'refused for good': ['·',       '·',       '·',       'over',  'over',  'over',  '·',     '·',     '·',     '·',     '·'],
  failed:             ['·',       '·',       '·',       'lost',  'lost',  'lost',  'lost',  'lost',  'lost',  'lost',  '·'],
  identified:         ['·',       '·',       '·',       '·',     '·',     '·',     '·',     '·',     '·',     '·',     '·'],
  closed:             ['·',       '·',       '·',       'lost',  'lost',  'lost',  'lost',  'lost',  'lost',  'lost',  '·'],
  bye:                ['·',       '·',       '·',       'delay',  'delay',  'delay',  'delay',  'delay',  'delay',  'delay',  '·'],
  clock:              ['·',       'connect', 'connect', 'leave', 'anew',  'leave', 'leave', 'leave', 'beat',  'anew',  '·'],
  'unsent-changed':   ['connect', '·',       '·',       '·',     '·',     '·',     '·',     '·',     '·',     '·',     '·'],
  reached:            ['·',       'connect', '·',       '·',     '·',     '·',     '·',     '·',     '·',     '·',     '·'],
  uploading:          ['·',       '·',       '·',       '·',     '·',     '·',     '·',     '·',     '·',     '·',     '·'],
  suspect:            ['·',       '·',       '·',       '·',     '·',     '·',     'beat',  '·',     'beat',  '·',     '·'],
  unusable:           ['·',       '·',       '·',       '·',     '·',     '·',     'leave', 'leave', 'leave', 'leave', '·'],
  'signed-in':        ['anew',    'anew',    'anew',    'anew',  'anew',  'anew',  'anew',  'anew',  '·',     '·',     'anew'],
  stopped:            ['over',    'over',    'over',    'over',  'over',  'over',  'over',  'over',  'over',  'over',  'over'],
};

describe.each(Object.entries(TABLE) as [EventName, Row][])('S4 O2 %s', (name, row) => {
  test.each(COLUMNS.map((column, index) => [column, row[index]!] as const))(
    'while %s: %s',
    (column, cell) => {
      const phase = Object.assign({}, ...Object.values(PHASES))[column] as Phase;
      const before = { ...initialState(true, true, 0), phase };
      const due = name === 'clock' ? nextAlarmAt(before) : NOW;
      const context = { now: Math.min(due, NOW + 60_000), random: () => 0.5, receiving: false };
      const [after, effects] = reduceConnection(before, EVENTS[name], context);
      const [expected, then] = CELLS[cell] as [string[], string?];
      expect(effects.map(({ type }) => type)).toEqual(expected);
      if (then === undefined) expect(wordsOf(after.phase)).toEqual(wordsOf(phase));
      else expect(wordsOf(after.phase)).toContain(then);
    },
  );
});

test('no phase is left out of the table', () => expect(NONE_LEFT_OUT).toBe(true)); // or this does not compile

/** What the table tells phases apart by. */
function wordsOf(phase: Phase): string[] {
  switch (phase.tag) {
    case 'backoff':
      return [phase.serverDelay ? 'serverDelay' : 'backoff'];
    case 'connecting':
      return [phase.userWaitsSince === undefined ? 'connecting' : 'awaited'];
    case 'open':
      return [
        'open',
        ...(phase.welcomed ? ['welcomed'] : []),
        phase.beatBy === undefined ? 'not asked' : 'asked',
      ];
    default:
      return [phase.tag];
  }
}
