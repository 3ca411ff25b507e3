/**
 * The server's guards, each with the line that breaks it, and the attack that shows it. If the line does not exist in the
 * server any more, that is an error, so the variants stay up to date.
 */
import type { AttackName } from './attacks.ts';

export interface BrokenLine {
  /** From the root of the project. */
  file: string;
  from: string;
  to: string;
}

export interface Guard {
  broken: readonly BrokenLine[];
  attack: AttackName;
}

const LIMITS = 'server/base/serverLimits.ts';
const REALTIME = 'server/realtime/realtime.ts';
const PACKETS = 'server/realtime/packets.ts';

const UNCOUNTED_PACKETS: BrokenLine = {
  file: LIMITS,
  from: 'PACKETS_PER_CONNECTION = { perSecond: 300, burst: 3_000 }',
  to: 'PACKETS_PER_CONNECTION = { perSecond: 1e9, burst: 1e9 }',
};

/** Ranges and lists: all at once, and free of charge. */
const UNBOUNDED_READS: readonly BrokenLine[] = [
  { file: REALTIME, from: 'if (!IS_READ.has(name)) return answer();', to: 'return answer();' },
  { file: 'server/limits/workMeter.ts', from: 'if (retryAfter === 0) return;', to: 'return;' },
];

export const GUARDS: Record<string, Guard> = {
  'what is looked at of a stranger’s handshake': {
    attack: 'cursors of 30,000 rooms by a stranger',
    broken: [
      { file: PACKETS, from: 'packet.length > HANDSHAKE_MAX_LENGTH', to: 'false' },
      {
        file: PACKETS,
        from: 'ws.options.maxPayload = HANDSHAKE_BODY_BYTES',
        to: 'ws.options.maxPayload = 1_200_000',
      },
      {
        file: 'server/realtime/handshakeGuard.ts',
        from: 'admission.approach(address);',
        to: "admission.approach(address); parseOrRefuse(Handshake, socket.handshake.auth, 'handshake');",
      },
      {
        file: 'shared/protocol/up.ts',
        from: 'Object.keys(Object(c)).length <= CURSORS_MAX_ROOMS',
        to: 'true',
      },
      {
        file: 'server/base/parse.ts',
        from: '{ abortEarly: true, abortPipeEarly: true, message',
        to: '{ message',
      },
    ],
  },
  'packets in one body of long polling': {
    attack: 'polling payloads of a hundred thousand packets',
    broken: [
      { file: PACKETS, from: 'const isFlood = body.split', to: 'const isFlood = false && body.split' },
      {
        file: LIMITS,
        from: 'HANDSHAKE_BODY_BYTES = 128 * 1024',
        to: 'HANDSHAKE_BODY_BYTES = 1_200_000',
      },
      UNCOUNTED_PACKETS,
    ],
  },
  'pings of one connection': { attack: 'pings and unread pongs', broken: [UNCOUNTED_PACKETS] },
  'unanswered requests of one connection': {
    attack: 'pipelined requests whose answers are not read',
    broken: [
      {
        file: 'server/request/connectionGuard.ts',
        from: '++visitor.pending > REQUESTS_PER_CONNECTION',
        to: 'false',
      },
    ],
  },
  'the length of a URL': {
    attack: 'queries of 1 MB and of 15 kB',
    broken: [{ file: LIMITS, from: 'URL_MAX_LENGTH = 2_048', to: 'URL_MAX_LENGTH = 1e9' }],
  },
  'the length of a name before it is normalized': {
    attack: 'names and passwords of combining marks by a stranger',
    broken: [
      { file: 'shared/text.ts', from: 'raw.length > NAME_MAX_RAW_LENGTH', to: 'false' },
      { file: 'server/auth/passwords.ts', from: 'raw.length > RAW_MAX_LENGTH', to: 'false' },
    ],
  },
  'sockets, frames and reads of one device': {
    attack: '300 sockets with one token send 2,000 frames at once',
    broken: [
      { file: LIMITS, from: 'SOCKETS_OF_DEVICE = 16', to: 'SOCKETS_OF_DEVICE = 1e9' },
      { file: LIMITS, from: 'SOCKETS_OF_USER = 64', to: 'SOCKETS_OF_USER = 1e9' },
      {
        file: LIMITS,
        from: 'HANDSHAKES_OF_USER = { perSecond: 5, burst: 100 }',
        to: 'HANDSHAKES_OF_USER = { perSecond: 1e9, burst: 1e9 }',
      },
      { file: REALTIME, from: 'frameLimiter.take(device, 1)', to: 'frameLimiter.take(socket.id, 1)' },
      ...UNBOUNDED_READS,
    ],
  },
  'rooms that one user creates': {
    attack: '300 public rooms',
    broken: [{ file: 'server/rooms/roomLimits.ts', from: 'created >= ROOMS_CREATED_PER_DAY', to: 'false' }],
  },
  'joins after leaving': {
    attack: 'joins and leaves',
    broken: [
      {
        file: 'server/rooms/roomLimits.ts',
        from: 'if (!refused) return;',
        to: 'if (refused || !refused) return;',
      },
    ],
  },
  'what a client has not read': {
    attack: 'a socket that never reads requests ranges',
    broken: [
      { file: LIMITS, from: 'UNSENT_MAX_BYTES = 2 * 1024 * 1024', to: 'UNSENT_MAX_BYTES = 1e12' },
      { file: LIMITS, from: 'UNSENT_TOTAL_BYTES = 48 * 1024 * 1024', to: 'UNSENT_TOTAL_BYTES = 1e12' },
      ...UNBOUNDED_READS,
    ],
  },
};
