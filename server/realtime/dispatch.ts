/** Each frame a socket sends: is it a request, may it be, and its acknowledgement. */
import { FRAMES_PER_SECOND } from '../../shared/limits.ts';
import { type AnsweredName, answers, type WireError } from '../../shared/protocol/index.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { Metrics } from '../metrics.ts';
import type { Perform } from '../perform.ts';
import { refusal, wireError } from '../refusal.ts';
import { createSerial } from '../serial.ts';
import type { LiveSocket } from './types.ts';

interface Deps {
  perform: Perform;
  frameLimiter: Limiter;
  metrics: Metrics;
}

type Acknowledge = (answer: unknown) => void;

export function dispatch(socket: LiveSocket, { perform, frameLimiter, metrics }: Deps): void {
  const appends = createSerial(); // L5: one socket's appends are handled one at a time, in order

  socket.onAny((event: string, ...args: unknown[]) => {
    const acknowledge = typeof args.at(-1) === 'function' ? (args.pop() as Acknowledge) : undefined;
    const name = isRequest(event) ? event : undefined;
    metrics.frames.inc({ event: name ?? 'other' });
    if (!acknowledge) return; // nobody listens to an answer: it is dropped
    const refuse = (error: WireError) => {
      metrics.refusals.inc({ event: name ?? 'other', code: error.code });
      acknowledge(refusal(error));
    };

    const retryAfter = frameLimiter.take(socket.id, 1);
    if (retryAfter > 0) {
      return refuse(
        wireError('rate-limited', `More than ${FRAMES_PER_SECOND} frames a second came.`, retryAfter),
      );
    }
    if (!name) return refuse(wireError('invalid', 'There is no such request in this protocol.'));
    if (args.length > 1) return refuse(wireError('invalid', 'A request has one payload.'));

    const answer = () => perform(name, socket.data.identity.user, args[0]);
    void (name === 'append' ? appends(answer) : answer()).then(acknowledge);
  });
}

function isRequest(event: string): event is AnsweredName {
  return Object.hasOwn(answers, event);
}
