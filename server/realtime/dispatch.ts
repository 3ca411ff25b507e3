/** Each frame a socket sends: is it a request, may it be, and its acknowledgement. */
import { ACKNOWLEDGE_WITHIN_MS, APPENDS_WAITING, FRAMES_PER_SECOND } from '../../shared/limits.ts';
import { type AnsweredName, answers, type WireError } from '../../shared/protocol/index.ts';
import { createSerial } from '../../shared/serial.ts';
import type { Metrics } from '../base/metrics.ts';
import { refusal, toWireError, wireError } from '../base/refusal.ts';
import { withTimeout } from '../base/timeout.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { Perform } from '../perform.ts';
import { Unavailable } from '../store/port.ts';
import type { LiveSocket } from './types.ts';

interface Deps {
  perform: Perform;
  frameLimiter: Limiter;
  metrics: Metrics;
}

type Acknowledge = (answer: unknown) => void;

export function dispatch(socket: LiveSocket, { perform, frameLimiter, metrics }: Deps): void {
  const inTurn = createSerial(); // L5: one socket's appends are handled one at a time, in order
  let waiting = 0;

  /** Answered in time from when it came, not from its turn; what was answered by then is not begun any more. */
  async function append(work: () => Promise<unknown>): Promise<unknown> {
    let late = false;
    waiting++;
    const mine = inTurn(async () => (late ? undefined : work())).finally(() => waiting--);
    try {
      return await withTimeout(ACKNOWLEDGE_WITHIN_MS, mine);
    } catch (error) {
      late = true;
      return refusal(toWireError(error));
    }
  }

  socket.onAny((event: string, ...args: unknown[]) => {
    const acknowledge = typeof args.at(-1) === 'function' ? (args.pop() as Acknowledge) : undefined;
    const name = isRequest(event) ? event : undefined;
    metrics.frames.inc({ event: name ?? 'other' });
    const refuse = (error: WireError) => {
      metrics.refusals.inc({ event: name ?? 'other', code: error.code });
      acknowledge?.(refusal(error));
    };

    const retryAfter = frameLimiter.take(socket.id, 1);
    if (!acknowledge) return; // nobody listens to an answer: it is counted and dropped
    if (retryAfter > 0) {
      return refuse(
        wireError('rate-limited', `More than ${FRAMES_PER_SECOND} frames a second came.`, retryAfter),
      );
    }
    if (!name) return refuse(wireError('invalid', 'There is no such request in this protocol.'));
    if (args.length > 1) return refuse(wireError('invalid', 'A request has one payload.'));

    const way = socket.conn.transport.name === 'polling' ? 'polling' : 'websocket';
    const answer = () => perform(name, socket.data.identity.user, args[0], way);
    if (name === 'append' && waiting >= APPENDS_WAITING) {
      return refuse(
        toWireError(new Unavailable('Too many appends of this socket wait; send one at a time.')),
      );
    }
    void (name === 'append' ? append(answer) : answer()).then(acknowledge);
  });
}

function isRequest(event: string): event is AnsweredName {
  return Object.hasOwn(answers, event);
}
