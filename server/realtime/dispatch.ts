/** Handles the frames that a socket sends: rate limit, check of the request's name, `perform`, acknowledgement. */
import { ACKNOWLEDGE_WITHIN_MS, APPENDS_WAITING, FRAMES_PER_SECOND } from '../../shared/limits.ts';
import { type AnsweredName, answers, type WireError } from '../../shared/protocol/index.ts';
import { createSerial } from '../../shared/serial.ts';
import type { Metrics } from '../base/metrics.ts';
import { refusal, toWireError, Unavailable, wireError } from '../base/refusal.ts';
import { withTimeout } from '../base/timeout.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { Perform } from '../request/perform.ts';
import type { LiveSocket } from './socketRecipient.ts';

interface Deps {
  perform: Perform;
  frameLimiter: Limiter;
  metrics: Metrics;
}

type Acknowledge = (answer: unknown) => void;

/** Attaches the handler to a new socket. */
export function dispatch(socket: LiveSocket, { perform, frameLimiter, metrics }: Deps): void {
  const inOrder = createSerial(); // L5: the appends of one socket are handled one at a time, in order
  let pending = 0;

  /** The deadline runs from the arrival, not from its turn. An append that timed out in the queue is not started. */
  async function append(work: () => Promise<unknown>): Promise<unknown> {
    let isLate = false;
    pending++;
    const result = inOrder(async () => (isLate ? undefined : work())).finally(() => pending--);
    try {
      return await withTimeout(ACKNOWLEDGE_WITHIN_MS, result);
    } catch (error) {
      isLate = true;
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
    if (!acknowledge) return; // without an acknowledgement callback the request cannot be answered: count it and drop it
    if (retryAfter > 0) {
      return refuse(
        wireError('rate-limited', `More than ${FRAMES_PER_SECOND} requests per second.`, retryAfter),
      );
    }
    if (!name) return refuse(wireError('invalid', 'This request does not exist in the protocol.'));
    if (args.length > 1) return refuse(wireError('invalid', 'A request has exactly one payload.'));

    const transport = socket.data.isPolling() ? 'polling' : 'websocket';
    const answer = () => perform(name, socket.data.identity.user, args[0], transport);
    if (name === 'append' && pending >= APPENDS_WAITING) {
      return refuse(
        toWireError(new Unavailable('Too many appends of this socket are pending; send one at a time.')),
      );
    }
    void (name === 'append' ? append(answer) : answer()).then(acknowledge);
  });
}

function isRequest(event: string): event is AnsweredName {
  return Object.hasOwn(answers, event);
}
