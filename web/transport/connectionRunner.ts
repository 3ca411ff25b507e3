/**
 * Executes the reducer of the connection (connection.ts): one socket, one timer, and a callback for each change of the
 * status.
 */
import { assertNever } from '../../shared/never.ts';
import type { Acknowledgement, AnsweredName, Down, Handshake, Request } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import { type ConnectionEvent, reduceConnection } from './connection.ts';
import { createSocket, type LoadIo, type Socket } from './socket.ts';
import { type ConnectionStatus, initialState, nextAlarmAt, statusOfConnection } from './transportState.ts';

export interface ConnectionRunner {
  status(): ConnectionStatus;
  /** Where the status is `signed-out`: the server said that somebody ended this session. Otherwise it just does not know it. */
  wasSignedOut(): boolean;
  tell(event: ConnectionEvent): void;
  request: Socket['request'];
  say: Socket['say'];
  /**
   * The same as a promise, which always resolves: `undefined` when the connection was lost or no answer came within
   * `withinMs`.
   */
  ask<Name extends AnsweredName>(
    name: Name,
    payload: Request<Name>,
    withinMs: number,
  ): Promise<Acknowledgement<Name> | undefined>;
  close(): void;
}

export interface ConnectionDeps {
  loadIo: LoadIo;
  clock: Clock;
  random: () => number;
  visible: boolean;
  online: boolean;
  handshake(): Promise<Handshake>;
  /** Whether something else than Holdfast answers at this address. */
  isStranger(): Promise<boolean>;
  frame(frame: Down): void;
  unreadable(room: unknown): void;
  /** Part of what was missed is still to be received. */
  catchingUp(): boolean;
  /** After each change of the status. */
  changed(status: ConnectionStatus): void;
}

/**
 * Their answers may have hundreds of kB. A heartbeat is answered behind them, so silence is tolerated for longer: not for
 * small answers, which the app asks for at any time, or a dead socket would be noticed late (S4).
 */
const LONG_ANSWERS: ReadonlySet<AnsweredName> = new Set(['range', 'room:list']);

export function createConnectionRunner(deps: ConnectionDeps): ConnectionRunner {
  const { clock, random } = deps;
  let connection = initialState(deps.visible, deps.online, clock.ticks());
  let alarm: { timer: Timer; at: number } | undefined;
  let closed = false;
  /** Requests under way whose answers take seconds over a slow network. */
  let longAsked = 0;
  let signedOut = false;
  let suspended = false;
  let identifying = false;
  let shown = statusOfConnection(connection);

  const socket = createSocket(deps.loadIo, deps.handshake, {
    opened() {
      signedOut = false;
      suspended = false;
      tell({ type: 'opened' });
    },
    upgraded: () => tell({ type: 'upgraded' }),
    refused(code, retryAfter, reason) {
      signedOut = reason === 'signed-out';
      suspended = reason === 'out-suspended';
      tell({ type: 'refused', code, retryAfter });
    },
    failed: () => tell({ type: 'failed' }),
    closed: () => tell({ type: 'closed' }),
    received: () => tell({ type: 'received' }),
    frame(frame) {
      if (frame.event === 'bye') return tell({ type: 'bye', retryAfter: frame.payload.retryAfter });
      deps.frame(frame);
      if (frame.event === 'welcome') tell({ type: 'welcomed' });
    },
    unreadable: deps.unreadable,
  });

  function tell(event: ConnectionEvent): void {
    if (closed) return;
    const [after, effects] = reduceConnection(connection, event, {
      now: clock.ticks(),
      random,
      receiving: longAsked > 0 || deps.catchingUp(),
    });
    connection = after;
    for (const effect of effects) {
      switch (effect.type) {
        case 'connect':
          socket.connect(effect.pollingFirst);
          break;
        case 'teardown':
          socket.teardown();
          break;
        case 'identify':
          identify();
          break;
        case 'beat':
          socket.request('beat', undefined, () => {}); // its answer counts like any byte that arrives
          break;
        default:
          assertNever(effect);
      }
    }
    setAlarm();
    const status = currentStatus();
    if (status === shown) return;
    shown = status;
    deps.changed(status);
  }

  function currentStatus(): ConnectionStatus {
    const status = statusOfConnection(connection);
    return suspended && (status === 'offline' || status === 'connecting') ? 'suspended' : status;
  }

  function identify(): void {
    if (identifying) return;
    identifying = true;
    void deps.isStranger().then((stranger) => {
      identifying = false;
      tell({ type: 'identified', stranger });
    });
  }

  /** An alarm that rings too early does nothing and is set again; only one that would ring too late is replaced. */
  function setAlarm(): void {
    const at = nextAlarmAt(connection);
    if (alarm && alarm.at <= at) return;
    if (alarm) clock.clearTimeout(alarm.timer);
    alarm = undefined;
    if (closed || at === Number.POSITIVE_INFINITY) return;
    const timer = clock.setTimeout(
      () => {
        alarm = undefined;
        tell({ type: 'clock' });
      },
      Math.max(0, at - clock.ticks()),
    );
    alarm = { timer, at };
  }

  setAlarm();

  return {
    status: currentStatus,
    wasSignedOut: () => signedOut,
    tell,
    request: (name, payload, answered) => socket.request(name, payload, answered),
    say: (name, payload) => socket.say(name, payload),
    ask(name, payload, withinMs) {
      const weight = LONG_ANSWERS.has(name) ? 1 : 0;
      longAsked += weight;
      const answer = new Promise<Acknowledgement<typeof name> | undefined>((resolve) => {
        const done = (answer?: Acknowledgement<typeof name>) => {
          clock.clearTimeout(timer);
          resolve(answer);
        };
        const timer = clock.setTimeout(done, withinMs);
        socket.request(name, payload, done);
      });
      return answer.finally(() => {
        longAsked -= weight;
      });
    },
    close() {
      closed = true;
      if (alarm) clock.clearTimeout(alarm.timer);
      socket.teardown();
    },
  };
}
