import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONNECT_WITHIN_MS,
  CONNECTION_HEARTBEAT_TIMEOUT_MS,
  HIDDEN_CLOSE_MS,
  RECEIVING_SILENCE_MS,
  RETRY_AFTER_MAX_MS,
  RETRY_MAX_MS,
  SILENCE_MS,
} from '../../../web/records/pageLimits.ts';
import {
  type ConnectionEffect,
  type ConnectionEvent,
  reduceConnection,
} from '../../../web/transport/connection.ts';
import {
  initialState,
  nextAlarmAt,
  statusOfConnection,
  type TransportState,
} from '../../../web/transport/transportState.ts';
import { runsOf } from '../../support/runs.ts';

interface Run {
  connection: TransportState;
  now: number;
  /** The answer to a request or a catch-up is being received. */
  receiving: boolean;
  /** What came out since `said` was last emptied. */
  said: string[];
}

function start(): Run {
  return { connection: initialState(true, true, 0), now: 0, receiving: false, said: [] };
}

function tell(run: Run, ...events: (ConnectionEvent | ConnectionEvent['type'])[]): Run {
  for (const event of events) {
    const told = (typeof event === 'string' ? { type: event } : event) as ConnectionEvent;
    const [connection, effects] = reduceConnection(run.connection, told, {
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

/** Lets time pass, with a `clock` event for each alarm. */
function pass(run: Run, ms: number): Run {
  const until = run.now + ms;
  while (nextAlarmAt(run.connection) <= until) {
    run.now = Math.max(run.now, nextAlarmAt(run.connection));
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

describe('S4 a dead socket is detected', () => {
  test.each(['visible', 'pageshow', 'resume', 'online', 'network-changed', 'offline', 'suspect'] as const)(
    'on %s a heartbeat is sent, and the socket is given up after two seconds without an answer',
    (event) => {
      const run = tell(live(), event);
      expect(run.said).toEqual(['beat']);
      expect(pass(run, CONNECTION_HEARTBEAT_TIMEOUT_MS - 1).said).toEqual(['beat']);
      expect(pass(run, 1).said).toEqual(['beat', 'teardown', 'connect']);
    },
  );
  test('further events give the heartbeat no more time', () => {
    const run = tell(live(), 'suspect');
    pass(run, CONNECTION_HEARTBEAT_TIMEOUT_MS - 1);
    expect(tell(run, 'visible', 'online', 'offline').said).toEqual(['beat']);
    expect(pass(run, 1).said).toEqual(['beat', 'teardown', 'connect']);
  });
  test('a heartbeat is sent after silence, while the page is visible', () => {
    expect(pass(live(), SILENCE_MS).said).toEqual(['beat']);
    expect(pass(tell(live(), 'hidden'), SILENCE_MS).said).toEqual([]);
  });
  test('any byte that arrives ends the doubt', () => {
    const run = pass(live(), SILENCE_MS);
    expect(pass(tell(run, 'received'), SILENCE_MS - 1).said).toEqual(['beat']);
  });
  test('while an append is being uploaded, the heartbeat behind it has longer', () => {
    const run = tell(live(), { type: 'uploading', bytes: 10_000 }, 'visible');
    expect(pass(run, CONNECTION_HEARTBEAT_TIMEOUT_MS + 1_999).said).toEqual(['beat']);
    expect(pass(run, 1).said).toEqual(['beat', 'teardown', 'connect']);
  });
});

describe('S4 silence while something large is being received is tolerated for longer', () => {
  const narrow = () => Object.assign(live(), { receiving: true });

  test('the connection has longer, and bytes that then arrive keep it', () => {
    const run = pass(narrow(), RECEIVING_SILENCE_MS - 1);
    expect(run.said).toEqual(['beat']);
    pass(tell(run, 'received'), SILENCE_MS - 1);
    expect(run.said).toEqual(['beat']);
  });
  test('an append without an answer does not end it either', () => {
    const run = tell(narrow(), 'suspect');
    expect(pass(run, RECEIVING_SILENCE_MS - 1).said).toEqual(['beat']);
    expect(pass(run, 1).said).toEqual(['beat', 'teardown', 'connect']);
  });
  test('O2 after each loss the next connection has longer, until the frame fits in', () => {
    const run = narrow();
    const lasted: number[] = [];
    for (let i = 0; i < 5; i++) {
      const began = run.now;
      run.said = [];
      while (!run.said.includes('connect')) pass(run, 1_000);
      lasted.push(run.now - began);
      run.receiving = false;
      tell(run, 'opened', 'received', 'welcomed');
      run.receiving = true;
    }
    expect(lasted.map((ms) => ms / RECEIVING_SILENCE_MS)).toEqual([1, 2, 4, 8, 8]);
    run.receiving = false;
    tell(run, 'received'); // all of it is here
    run.receiving = true;
    run.said = [];
    expect(pass(run, RECEIVING_SILENCE_MS).said).toEqual(['beat', 'teardown', 'connect']);
  });
  test.each(['visible', 'network-changed', 'online'] as const)('%s ends the patientUntil', (event) => {
    const run = tell(pass(narrow(), SILENCE_MS), event);
    expect(pass(run, CONNECTION_HEARTBEAT_TIMEOUT_MS).said).toEqual(['beat', 'teardown', 'connect']);
  });
  test('O2 a welcome that takes long to be received has longer at the next attempt', () => {
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

  test('on a page that becomes visible it has two seconds more, however often that happens', () => {
    const run = tell(pass(tell(start(), 'clock'), 1_000), 'visible');
    tell(pass(run, 500), 'resume', 'visible');
    expect(pass(run, CONNECTION_HEARTBEAT_TIMEOUT_MS - 501).said).toEqual(['connect']);
    expect(pass(run, 1).said).toEqual(['connect', 'teardown', 'connect']);
    expect(pass(run, CONNECT_WITHIN_MS - 1).said).toHaveLength(3); // this one began where one is now
  });
  test.each(['visible', 'network-changed'] as const)(
    'on %s it goes by websocket again: a kept connection that polling would use may be as dead',
    (event) => {
      const run = pass(untilPolling(), CONNECTION_HEARTBEAT_TIMEOUT_MS + 1);
      expect(tell(run, event).said.slice(-2)).toEqual(['teardown', 'connect']);
    },
  );
  test('where websockets are blocked silently, the transport of the last connection goes first', () => {
    const run = tell(untilPolling(), 'opened', 'welcomed', 'closed', 'visible');
    expect(run.said.at(-1)).toBe('connect by polling');
  });
  test('polling that fails at once, and never worked before, gives way to the websocket', () => {
    const run = tell(untilPolling(), 'failed', 'visible');
    expect(run.said.at(-1)).toBe('connect');
    const blocked = tell(untilPolling(), 'opened', 'welcomed', 'closed', 'visible', 'failed');
    expect(pass(blocked, RETRY_MAX_MS).said.at(-1)).toBe('connect by polling');
  });
  test('polling that was upgraded to a websocket does not mean that websockets are blocked', () => {
    for (const order of [
      ['opened', 'welcomed', 'upgraded'],
      ['opened', 'upgraded', 'welcomed'],
    ] as const) {
      const run = tell(untilPolling(), ...order, 'closed', 'visible');
      expect(run.said.at(-1)).toBe('connect');
    }
  });
});

describe('O2 reconnecting', () => {
  test.each<[string, ConnectionEvent['type'][]]>([
    ['by itself', []],
    ['being looked at', ['visible']],
  ])('a websocket that opens and stays mute is given up %s; then polling goes first', (_, events) => {
    const run = tell(start(), 'clock', 'opened', ...events);
    while (run.connection.phase.tag !== 'connecting') pass(run, 100);
    expect(run.said.at(-1)).toBe('connect by polling');
  });
  test('a delay that the server ordered outlasts a sleep, but is never longer than a minute', () => {
    for (const away of ['freeze', 'pagehide', 'hidden'] as const) {
      const run = tell(live(), 'hidden', { type: 'bye', retryAfter: 1e9 }, away);
      tell(pass(run, RETRY_AFTER_MAX_MS), 'resume', 'pageshow', 'visible');
      expect(run.said).toEqual(['teardown']);
      expect(pass(run, RETRY_AFTER_MAX_MS / 4).said).toEqual(['teardown', 'connect']);
    }
  });
  test('after a bye without a delay it reconnects at once', () => {
    expect(pass(tell(live(), { type: 'bye', retryAfter: 0 }), 0).said).toEqual(['teardown', 'connect']);
  });

  test('a lost connection is retried with growing delays', () => {
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
  test('online and visible end a backoff at once, but not a delay that the server ordered', () => {
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
  test('an attempt that began on another network is started again', () => {
    expect(tell(start(), 'clock', 'network-changed').said).toEqual(['connect', 'teardown', 'connect']);
  });
  test('a connection without a welcome is given up', () => {
    const run = tell(start(), 'clock', 'opened');
    for (let i = 0; i < 10; i++) tell(pass(run, 1_000), 'received');
    expect(run.said.slice(-1)).toEqual(['teardown']);
  });
  test('after a bye it disconnects, and reconnects after the delay that the server ordered', () => {
    const run = tell(live(), { type: 'bye', retryAfter: 1_000 });
    expect(run.said).toEqual(['teardown']);
    expect(pass(run, 999).said).toEqual(['teardown']);
    expect(pass(run, 501).said).toEqual(['teardown', 'connect']);
  });
});

describe('the status', () => {
  test.each<[string, Run, string]>([
    ['before the first welcome', tell(start(), 'clock', 'opened'), 'connecting'],
    ['after it', live(), 'live'],
    ['lost', tell(live(), 'closed'), 'offline'],
    ['without a network', tell(start(), 'offline'), 'offline'],
    ['without a session', tell(start(), 'clock', refused('unauthorized')), 'signed-out'],
    ['too old', tell(start(), 'clock', refused('upgrade-required')), 'upgrade'],
  ])('%s', (_, run, status) => expect(statusOfConnection(run.connection)).toBe(status));

  test('a session that has ended waits for a new sign-in, and for nothing else', () => {
    const run = tell(start(), 'clock', refused('unauthorized'));
    run.said = [];
    tell(pass(run, 3_600_000), 'visible', 'online', 'pageshow');
    expect(run.said).toEqual([]);
    expect(tell(run, 'signed-in').said).toContain('connect');
  });
});

describe('something else answers', () => {
  /** Attempts that fail, one after the other. */
  function fail(run: Run, times: number): Run {
    for (let i = 0; i < times; i++) {
      while (run.connection.phase.tag !== 'connecting') pass(run, 500);
      tell(run, 'failed');
    }
    return run;
  }
  const identified = (stranger: boolean): ConnectionEvent => ({ type: 'identified', stranger });
  const asked = (run: Run) => run.said.filter((effect) => effect === 'identify').length;

  test('O3 it is asked for rarely: after the second failure and each fourth one after that', () => {
    const run = start();
    expect([1, 1, 1, 1, 1, 1].map((times) => asked(fail(run, times)))).toEqual([0, 1, 1, 1, 1, 2]);
  });
  test('O3 the status says so until a server of ours answers, or nobody', () => {
    const run = tell(fail(start(), 2), identified(true));
    const status = () => statusOfConnection(run.connection);
    expect(status()).toBe('stranger');
    expect(asked(fail(run, 2))).toBe(3); // each time, now
    expect(status()).toBe('stranger');
    tell(run, identified(false));
    expect(status()).toBe('offline');
    tell(run, identified(true), 'offline');
    expect(status()).toBe('offline');
    tell(run, 'online', 'opened', identified(true), 'welcomed'); // an answer that comes late
    expect(status()).toBe('live');
    tell(run, 'closed');
    expect(status()).toBe('offline');
  });
});

describe('a hidden page', () => {
  test('disconnects after a minute if no rows wait, and reconnects as soon as it is visible', () => {
    const run = tell(live(), 'hidden');
    expect(pass(run, HIDDEN_CLOSE_MS).said).toEqual(['teardown']);
    expect(pass(run, 3_600_000).said).toEqual(['teardown']);
    expect(tell(run, 'visible').said).toEqual(['teardown', 'connect']);
  });
  test('O2 stays connected while rows wait', () => {
    const run = tell(live(), 'hidden', { type: 'unsent-changed', hasUnsent: true });
    expect(pass(run, HIDDEN_CLOSE_MS + 1).said).toEqual([]);
    expect(pass(tell(run, { type: 'unsent-changed', hasUnsent: false }), 1).said).toEqual(['teardown']);
  });
});

test('S4 O2 whatever happens, it is live again soon after network and server work', () => {
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
    { type: 'identified', stranger: true },
    'closed',
    'received',
    'clock',
    'suspect',
    'unusable',
    { type: 'bye', retryAfter: 500 },
    refused('unavailable', 300),
    refused('internal'),
    { type: 'unsent-changed', hasUnsent: true },
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
        const { phase, visibility, hasUnsent } = run.connection;
        // hidden and live with something to send: an append without an answer says `suspect`, no clock is needed
        const sends = phase.tag === 'open' && phase.welcomed && visibility.tag === 'hidden' && hasUnsent;
        if (phase.tag !== 'asleep' && !sends)
          expect(nextAlarmAt(run.connection)).toBeLessThan(Number.POSITIVE_INFINITY);
      }
      tell(run, { type: 'uploading', bytes: 0 }, 'visible', 'online');
      for (
        let waited = 0;
        waited < 2 * RETRY_MAX_MS && statusOfConnection(run.connection) !== 'live';
        waited += 500
      ) {
        pass(run, 500);
        if (run.connection.phase.tag === 'connecting') tell(run, 'opened', 'welcomed');
      }
      expect(statusOfConnection(run.connection)).toBe('live');
    }),
    { seed: 9, numRuns: runsOf('moves of a connection') },
  );
});

test('S4 a page that is frozen or hidden by navigation closes its socket, and reconnects when it is shown again', () => {
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
