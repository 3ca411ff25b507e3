import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BEAT_TIMEOUT_MS, CONNECT_WITHIN_MS, HIDDEN_CLOSE_MS, RECEIVING_SILENCE_MS, RETRY_AFTER_MAX_MS, RETRY_MAX_MS, SILENCE_MS } from '../../../web/records/pageLimits.ts';
import { type ConnectionEffect, type ConnectionEvent, step } from '../../../web/transport/connection.ts';
import { begin, type Connection, statusOf, wakeAt } from '../../../web/transport/phase.ts';
import { runsOf } from '../../support/runs.ts';

interface Run {
  connection: Connection;
  now: number;
  /** An answer or a catch-up is awaited. */
  receiving: boolean;
  /** What came out since `said` was last emptied. */
  said: string[];
}

function start(): Run {
  return { connection: begin(true, true, 0), now: 0, receiving: false, said: [] };
}

function tell(run: Run, ...events: (ConnectionEvent | ConnectionEvent['type'])[]): Run {
  for (const event of events) {
    const told = (typeof event === 'string' ? { type: event } : event) as ConnectionEvent;
    const [connection, effects] = step(run.connection, told, {
      now: run.now,
      random: () => 0.5,
      receiving: run.receiving,
    });
    run.connection = connection;
    run.said.push(...effects.map(nameOf));
  }
  return run;
}

const nameOf = (effect: ConnectionEffect) =>
  effect.type === 'connect' ? (effect.pollingFirst ? 'connect by polling' : 'connect') : effect.type;

/** Lets time pass, waking it whenever it wants to be woken. */
function pass(run: Run, ms: number): Run {
  const until = run.now + ms;
  while (wakeAt(run.connection) <= until) {
    run.now = Math.max(run.now, wakeAt(run.connection));
    tell(run, 'clock');
  }
  run.now = until;
  return run;
}

function live(): Run {
  const run = tell(start(), 'clock', 'opened', 'welcomed');
  run.said = [];
  return run;
}

const refused = (code: string, retryAfter?: number): ConnectionEvent => ({
  type: 'refused',
  code,
  retryAfter,
});

describe('S4 a dead socket is found out', () => {
  test.each(['visible', 'pageshow', 'resume', 'online', 'network-changed', 'offline', 'suspect'] as const)(
    'on %s it is asked, and given up after two seconds',
    (event) => {
      const run = tell(live(), event);
      expect(run.said).toEqual(['beat']);
      expect(pass(run, BEAT_TIMEOUT_MS - 1).said).toEqual(['beat']);
      expect(pass(run, 1).said).toEqual(['beat', 'teardown', 'connect']);
    },
  );
  test('asked again and again, it gets no more time', () => {
    const run = tell(live(), 'suspect');
    pass(run, BEAT_TIMEOUT_MS - 1);
    expect(tell(run, 'visible', 'online', 'offline').said).toEqual(['beat']);
    expect(pass(run, 1).said).toEqual(['beat', 'teardown', 'connect']);
  });
  test('after silence, while it is looked at', () => {
    expect(pass(live(), SILENCE_MS).said).toEqual(['beat']);
    expect(pass(tell(live(), 'hidden'), SILENCE_MS).said).toEqual([]);
  });
  test('any byte is life', () => {
    const run = pass(live(), SILENCE_MS);
    expect(pass(tell(run, 'heard'), SILENCE_MS - 1).said).toEqual(['beat']);
  });
  test('while an append is on its way up, the beat behind it has longer', () => {
    const run = tell(live(), { type: 'uploading', bytes: 10_000 }, 'visible');
    expect(pass(run, BEAT_TIMEOUT_MS + 1_999).said).toEqual(['beat']);
    expect(pass(run, 1).said).toEqual(['beat', 'teardown', 'connect']);
  });
});

describe('S4 silence while something large comes down is patience, not death', () => {
  const narrow = () => Object.assign(live(), { receiving: true });

  test('it has longer, and what then comes is life', () => {
    const run = pass(narrow(), RECEIVING_SILENCE_MS - 1);
    expect(run.said).toEqual(['beat']);
    pass(tell(run, 'heard'), SILENCE_MS - 1);
    expect(run.said).toEqual(['beat']);
  });
  test('an append that stays unanswered meanwhile does not end it either', () => {
    const run = tell(narrow(), 'suspect');
    expect(pass(run, RECEIVING_SILENCE_MS - 1).said).toEqual(['beat']);
    expect(pass(run, 1).said).toEqual(['beat', 'teardown', 'connect']);
  });
  test('O2 given up again and again, it has longer each time, until what comes fits in', () => {
    const run = narrow();
    const lasted: number[] = [];
    for (let i = 0; i < 5; i++) {
      const began = run.now;
      run.said = [];
      while (!run.said.includes('connect')) pass(run, 1_000);
      lasted.push(run.now - began);
      run.receiving = false;
      tell(run, 'opened', 'heard', 'welcomed');
      run.receiving = true;
    }
    expect(lasted.map((ms) => ms / RECEIVING_SILENCE_MS)).toEqual([1, 2, 4, 8, 8]);
    run.receiving = false;
    tell(run, 'heard'); // all of it is here
    run.receiving = true;
    run.said = [];
    expect(pass(run, RECEIVING_SILENCE_MS).said).toEqual(['beat', 'teardown', 'connect']);
  });
  test.each(['visible', 'network-changed', 'online'] as const)('%s ends the patience', (event) => {
    const run = tell(pass(narrow(), SILENCE_MS), event);
    expect(pass(run, BEAT_TIMEOUT_MS).said).toEqual(['beat', 'teardown', 'connect']);
  });
  test('O2 a welcome that takes long to come down has longer at the next attempt', () => {
    const run = tell(start(), 'clock');
    for (const wait of [1, 2, 3, 4, 4]) {
      while (run.connection.phase.tag !== 'connecting') pass(run, 100);
      tell(run, 'opened');
      run.said = [];
      expect(pass(run, wait * CONNECT_WITHIN_MS - 1).said).toEqual([]);
      expect(pass(run, 1).said).toEqual(['teardown']);
    }
  });
});

describe('S4 an attempt to connect may have begun on a network that is gone', () => {
  const untilPolling = (run = tell(start(), 'clock')) => {
    while (run.said.at(-1) !== 'connect by polling') pass(run, 100);
    return run;
  };

  test('looked at, it has two seconds more, however often', () => {
    const run = tell(pass(tell(start(), 'clock'), 1_000), 'visible');
    tell(pass(run, 500), 'resume', 'visible');
    expect(pass(run, BEAT_TIMEOUT_MS - 501).said).toEqual(['connect']);
    expect(pass(run, 1).said).toEqual(['connect', 'teardown', 'connect']);
    expect(pass(run, CONNECT_WITHIN_MS - 1).said).toHaveLength(3); // this one began where one is now
  });
  test.each(['visible', 'network-changed'] as const)(
    'on %s it goes by websocket again: a kept connection that polling would use may be as dead',
    (event) => {
      const run = pass(untilPolling(), BEAT_TIMEOUT_MS + 1);
      expect(tell(run, event).said.slice(-2)).toEqual(['teardown', 'connect']);
    },
  );
  test('where websockets are blocked without a word, what got through the last time goes first', () => {
    const run = tell(untilPolling(), 'opened', 'welcomed', 'closed', 'visible');
    expect(run.said.at(-1)).toBe('connect by polling');
  });
  test('polling that fails at once, and never got through, leaves the way to the websocket', () => {
    const run = tell(untilPolling(), 'failed', 'visible');
    expect(run.said.at(-1)).toBe('connect');
    const blocked = tell(untilPolling(), 'opened', 'welcomed', 'closed', 'visible', 'failed');
    expect(pass(blocked, RETRY_MAX_MS).said.at(-1)).toBe('connect by polling');
  });
  test('polling that became a websocket is no sign that they are blocked', () => {
    for (const order of [
      ['opened', 'welcomed', 'upgraded'],
      ['opened', 'upgraded', 'welcomed'],
    ] as const) {
      const run = tell(untilPolling(), ...order, 'closed', 'visible');
      expect(run.said.at(-1)).toBe('connect');
    }
  });
});

describe('O2 coming back', () => {
  test.each<[string, ConnectionEvent['type'][]]>([
    ['by itself', []],
    ['being looked at', ['visible']],
  ])('a websocket that opens and stays mute is given up %s; then polling goes first', (_, events) => {
    const run = tell(start(), 'clock', 'opened', ...events);
    while (run.connection.phase.tag !== 'connecting') pass(run, 100);
    expect(run.said.at(-1)).toBe('connect by polling');
  });
  test('how long a server said is kept to over a sleep, but no server is waited for longer than a minute', () => {
    for (const away of ['freeze', 'pagehide', 'hidden'] as const) {
      const run = tell(live(), 'hidden', { type: 'bye', retryAfter: 1e9 }, away);
      tell(pass(run, RETRY_AFTER_MAX_MS), 'resume', 'pageshow', 'visible');
      expect(run.said).toEqual(['teardown']);
      expect(pass(run, RETRY_AFTER_MAX_MS / 4).said).toEqual(['teardown', 'connect']);
    }
  });
  test('a server that says bye without a time is found again at once', () => {
    expect(pass(tell(live(), { type: 'bye', retryAfter: 0 }), 0).said).toEqual(['teardown', 'connect']);
  });

  test('a lost connection is tried again by itself, later each time', () => {
    const run = tell(live(), 'closed');
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      const before = run.now;
      run.said = [];
      while (run.said.length === 0) pass(run, 1);
      waits.push(run.now - before);
      tell(run, 'failed');
    }
    expect(waits.slice(0, 3)).toEqual([375, 750, 1_500]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(RETRY_MAX_MS);
  });
  test('online and visible end the wait at once, a time that the server named does not', () => {
    expect(tell(live(), 'closed', 'online').said).toEqual(['connect']);
    expect(tell(live(), 'closed', 'visible').said).toEqual(['connect']);
    const told = tell(start(), 'clock', refused('rate-limited', 4_000), 'online', 'visible');
    expect(told.said).toEqual(['connect', 'teardown']);
    expect(pass(told, 5_000).said).toEqual(['connect', 'teardown', 'connect']);
  });
  test('an attempt that hangs is given up; then polling goes first', () => {
    expect(pass(tell(start(), 'clock'), CONNECT_WITHIN_MS + 500).said).toEqual([
      'connect',
      'teardown',
      'connect by polling',
    ]);
  });
  test('an attempt begun on another network is begun anew', () => {
    expect(tell(start(), 'clock', 'network-changed').said).toEqual(['connect', 'teardown', 'connect']);
  });
  test('a connection that never says welcome is given up', () => {
    const run = tell(start(), 'clock', 'opened');
    for (let i = 0; i < 10; i++) tell(pass(run, 1_000), 'heard');
    expect(run.said.slice(-1)).toEqual(['teardown']);
  });
  test('a server that says bye is left, and found again after as long as it said', () => {
    const run = tell(live(), { type: 'bye', retryAfter: 1_000 });
    expect(run.said).toEqual(['teardown']);
    expect(pass(run, 999).said).toEqual(['teardown']);
    expect(pass(run, 501).said).toEqual(['teardown', 'connect']);
  });
});

describe('what it looks like', () => {
  test.each<[string, Run, string]>([
    ['before the first welcome', tell(start(), 'clock', 'opened'), 'connecting'],
    ['after it', live(), 'live'],
    ['lost', tell(live(), 'closed'), 'offline'],
    ['without a network', tell(start(), 'offline'), 'offline'],
    ['without a session', tell(start(), 'clock', refused('unauthorized')), 'signed-out'],
    ['too old', tell(start(), 'clock', refused('upgrade-required')), 'upgrade'],
  ])('%s', (_, run, status) => expect(statusOf(run.connection)).toBe(status));

  test('a session that is over waits for a new one, and nothing else', () => {
    const run = tell(start(), 'clock', refused('unauthorized'));
    run.said = [];
    tell(pass(run, 3_600_000), 'visible', 'online', 'pageshow');
    expect(run.said).toEqual([]);
    expect(tell(run, 'signed-in').said).toContain('connect');
  });
});

describe('hidden', () => {
  test('lets go after a minute with nothing waiting, and is back as soon as it is looked at', () => {
    const run = tell(live(), 'hidden');
    expect(pass(run, HIDDEN_CLOSE_MS).said).toEqual(['teardown']);
    expect(pass(run, 3_600_000).said).toEqual(['teardown']);
    expect(tell(run, 'visible').said).toEqual(['teardown', 'connect']);
  });
  test('O2 stays while something waits', () => {
    const run = tell(live(), 'hidden', { type: 'waiting', waiting: true });
    expect(pass(run, HIDDEN_CLOSE_MS + 1).said).toEqual([]);
    expect(pass(tell(run, { type: 'waiting', waiting: false }), 1).said).toEqual(['teardown']);
  });
});

test('S4 O2 whatever happens, it is live again soon after the world is kind', () => {
  const events: (ConnectionEvent | ConnectionEvent['type'])[] = [
    'visible',
    'hidden',
    'online',
    'offline',
    'pageshow',
    'resume',
    'network-changed',
    'freeze',
    'pagehide',
    'opened',
    'upgraded',
    'welcomed',
    'failed',
    'closed',
    'heard',
    'clock',
    'suspect',
    'unusable',
    { type: 'bye', retryAfter: 500 },
    refused('unavailable', 300),
    refused('internal'),
    { type: 'waiting', waiting: true },
    { type: 'uploading', bytes: 16_000 },
  ];
  const move = fc.tuple(fc.nat(events.length - 1), fc.nat(20_000));
  fc.assert(
    fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
      const run = start();
      for (const [event, ms] of moves) {
        run.receiving = ms % 2 === 1;
        tell(run, events[event]!);
        pass(run, ms);
        const { phase, sight, waiting } = run.connection;
        // hidden and live with something to send: an append without an answer says `suspect`, no clock is needed
        const sends = phase.tag === 'open' && phase.welcomed && sight.tag === 'hidden' && waiting;
        if (phase.tag !== 'asleep' && !sends)
          expect(wakeAt(run.connection)).toBeLessThan(Number.POSITIVE_INFINITY);
      }
      tell(run, { type: 'uploading', bytes: 0 }, 'visible', 'online');
      for (let waited = 0; waited < 2 * RETRY_MAX_MS && statusOf(run.connection) !== 'live'; waited += 500) {
        pass(run, 500);
        if (run.connection.phase.tag === 'connecting') tell(run, 'opened', 'welcomed');
      }
      expect(statusOf(run.connection)).toBe('live');
    }),
    { seed: 9, numRuns: runsOf('moves of a connection') },
  );
});

test('S4 a page that is frozen or put away lets go of its socket, and connects when it is looked at again', () => {
  for (const away of ['freeze', 'pagehide'] as const) {
    const run = tell(live(), 'hidden', away);
    expect(run.said).toEqual(['teardown']);
    pass(run, 60_000);
    expect(run.said).toEqual(['teardown']);
    tell(run, 'resume', 'pageshow');
    expect(run.said).toEqual(['teardown']); // nobody looks yet, and nothing waits
    tell(run, 'visible');
    expect(run.said).toEqual(['teardown', 'connect']);
  }
});
