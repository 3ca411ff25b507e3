/**
 * Sends what this device has stored for rooms, a room at a time, until the server has answered for good: its acknowledgement, or a
 * refusal that will not change. What the server cannot take now is repeated after RETRY_MAX_MS; what was lost with a connection,
 * after the next welcome.
 */
import { classOf } from '../../shared/protocol/codes.ts';
import type { WireError } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import { coalesceCalls } from '../db/coalesceCalls.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

export interface RoomSender {
  /** Something waits. */
  send(): void;
  /** A welcome is stored: sends what waits, also what another tab has stored. */
  live(): void;
  /** The connection ended. Nothing is sent before the next welcome is stored. */
  down(): void;
  close(): void;
  isClosed(): boolean;
}

/** `settled`: the server has answered for good. `later`: it cannot take it now. `lost`: there was no answer. */
export type SendOutcome = 'settled' | 'later' | 'lost';

interface Deps {
  clock: Clock;
  /** Undefined while there is no connection. */
  liveConnection(): Pick<ConnectionRunner, 'ask'> | undefined;
  /** The rooms of which something waits. */
  waiting(): Iterable<string>;
  /** Sends what waits of a room. Once that is settled, and nothing was added meanwhile, the room does not wait any more. */
  sendOne(connection: Pick<ConnectionRunner, 'ask'>, room: string): Promise<SendOutcome>;
  /** Reads of which rooms something waits. */
  load(): Promise<void>;
  /** For the console. */
  what: string;
}

export function createRoomSender({ clock, liveConnection, waiting, sendOne, load, what }: Deps): RoomSender {
  let retry: Timer | undefined;
  let closed = false;
  let isWelcomed = false;

  const sendAll = coalesceCalls(async () => {
    const delayed = new Set<string>();
    for (;;) {
      const connection = closed || !isWelcomed ? undefined : liveConnection();
      if (!connection) return;
      const room = [...waiting()].find((each) => !delayed.has(each));
      if (room === undefined) return delayed.size > 0 ? sendLater() : undefined;
      const outcome = await sendOne(connection, room);
      if (outcome === 'lost') return; // sent again over the next connection
      if (outcome === 'later') delayed.add(room);
    }
  });

  function sendLater(): void {
    if (retry !== undefined) clock.clearTimeout(retry);
    retry = closed ? undefined : clock.setTimeout(loadAndSend, RETRY_MAX_MS);
  }

  function loadAndSend(): void {
    report(load().then(sendAll));
  }

  function report(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!closed) console.warn(`${what} could not be sent`, error);
    });
  }

  return {
    send: () => report(sendAll()),
    live() {
      isWelcomed = true;
      loadAndSend();
    },
    down() {
      isWelcomed = false;
    },
    close() {
      closed = true;
      if (retry !== undefined) clock.clearTimeout(retry);
    },
    isClosed: () => closed,
  };
}

export function outcomeOfSending(
  answer: { ok: true } | { ok: false; error: WireError } | undefined,
): SendOutcome {
  if (!answer) return 'lost';
  return answer.ok || classOf(answer.error.code) === 'permanent' ? 'settled' : 'later';
}
