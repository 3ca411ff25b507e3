/** A client of one user: connects to any available server, stores received entries, and sends its outbox. */
import { setTimeout as sleep } from 'node:timers/promises';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { Entry } from '../../../../shared/entry.ts';
import { PROTOCOL, type Room, type Welcome } from '../../../../shared/protocol/index.ts';
import type { SignedUp } from '../../../support/api.ts';
import type { Random } from '../../../support/random.ts';
import type { LogRecord } from '../record.ts';
import { createHeldRoom, type HeldRoom } from './held.ts';
import { createOutbox, type Outbox } from './outbox.ts';

export interface ChatClient {
  readonly session: SignedUp;
  readonly outbox: Outbox;
  /** The cursor of a room: the end of its entries without a gap. */
  holds(room: string): number;
  /** The number of its `welcome` frames. */
  welcomes(): number;
  /** Closes permanently. */
  stop(): Promise<void>;
}

interface Setting {
  session: SignedUp;
  urls: readonly string[];
  rooms: readonly string[];
  random: Random;
  record: LogRecord;
  /** How it connects; by default by websocket. */
  options?: Partial<ManagerOptions & SocketOptions>;
}

interface RoomFrame {
  room?: Room;
  removed?: string;
}

const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 10_000;
const BEAT_EVERY_MS = 2_000;
const BEAT_WITHIN_MS = 4_000;

export function startChatClient({ session, urls, rooms, random, record, options }: Setting): ChatClient {
  const { name } = session.user;
  const held = new Map<string, HeldRoom>(rooms.map((room) => [room, createHeldRoom()]));
  const outbox = createOutbox({ session, rooms, random, record });
  let epoch: string | undefined;
  let welcomes = 0;
  let going = true;
  let socket: Socket | undefined;

  const take = (room: string, entries: readonly Entry[]) => {
    for (const entry of entries) record.tell({ room, ...entry }, name);
    held.get(room)?.take(entries);
  };

  const onWelcome = (welcome: Welcome) => {
    welcomes++;
    if (epoch !== undefined && welcome.epoch !== epoch) record.violate(`${name} met another epoch`);
    epoch = welcome.epoch;
    for (const { id, head, reset } of welcome.rooms) {
      if (reset) record.violate(`L2 ${name} was told that ${id} was put back`);
      held.get(id)?.hearOfHead(head);
    }
    // a room that cannot be read now is in `failed`, and follows in a frame `room`
    const memberOf = new Set([...welcome.rooms, ...(welcome.failed ?? [])].map(({ id }) => id));
    const missing = rooms.filter((room) => !memberOf.has(room));
    if (missing.length > 0) record.violate(`${name} is no member of ${missing.join()} any more`);
  };

  const open = () => {
    const opened = io(random.pick(urls), {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_WITHIN_MS,
      ...options,
      auth: {
        protocol: PROTOCOL,
        features: ['entries2'],
        token: session.token,
        ...(epoch === undefined ? {} : { epoch }),
        cursors: Object.fromEntries([...held].map(([room, one]) => [room, one.cursor()])),
      },
    });
    opened.on('entries', ({ room, entries }) => take(room, entries));
    opened.on('room', ({ room, removed }: RoomFrame) => {
      if (room) held.get(room.id)?.hearOfHead(room.head);
      if (removed !== undefined) record.violate(`${name} was removed from ${removed}`);
    });
    opened.on('heads', (heads: Record<string, number>) => {
      for (const [room, head] of Object.entries(heads)) held.get(room)?.hearOfHead(head);
    });
    return opened;
  };

  /** Runs one connection until it ends. */
  const connectOnce = async () => {
    const opened = open();
    socket = opened;
    const ended = new Promise<void>((resolve) => {
      opened.once('disconnect', () => resolve());
      opened.once('connect_error', () => resolve());
    });
    const welcomed = new Promise<Welcome>((resolve) => opened.once('welcome', resolve));
    const first = await Promise.race([welcomed, ended, sleep(CONNECT_WITHIN_MS + ANSWER_WITHIN_MS)]);
    if (first) {
      onWelcome(first);
      await Promise.race([ended, Promise.all([fill(opened), beat(opened), send(opened)])]);
    }
    opened.close();
  };

  /** Requests missing entries while the connection lasts (S2). */
  const fill = async (connection: Socket) => {
    while (connection.connected) {
      const [room, missing] =
        [...held].map(([id, one]) => [id, one.missing()] as const).find(([, m]) => m) ?? [];
      if (room === undefined || missing === undefined) {
        await sleep(50);
        continue;
      }
      const answer = await connection
        .timeout(ANSWER_WITHIN_MS)
        .emitWithAck('range', { room, ...missing })
        .catch(() => undefined);
      if (answer?.ok) take(room, answer.entries);
      else await sleep(random.int(50, 200));
    }
  };

  /** S4: detects a dead socket that still reports to be open. */
  const beat = async (connection: Socket) => {
    while (connection.connected) {
      await sleep(BEAT_EVERY_MS);
      const answer = await connection
        .timeout(BEAT_WITHIN_MS)
        .emitWithAck('beat')
        .catch(() => undefined);
      if (!answer) connection.close();
    }
  };

  /** Sends one append at a time, beginning with the oldest unsettled item (L5). */
  const send = async (connection: Socket) => {
    while (connection.connected) {
      const settled = await outbox.attempt((payload) =>
        connection.timeout(ANSWER_WITHIN_MS).emitWithAck('append', payload),
      );
      if (settled === 'unanswered') connection.close();
      await sleep(settled === 'all' ? random.int(100, 600) : random.int(50, 300));
    }
  };

  const living = (async () => {
    while (going) {
      await connectOnce();
      if (going) await sleep(random.int(20, 400));
    }
  })();

  return {
    session,
    outbox,
    holds: (room) => held.get(room)?.cursor()[0] ?? 0,
    welcomes: () => welcomes,
    stop: async () => {
      going = false;
      socket?.close();
      await living;
    },
  };
}
