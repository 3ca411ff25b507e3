/** The Engine.IO and Socket.IO packets of the clients of the two servers. The rest of the client is the same for both. */
import { randomBytes } from 'node:crypto';
import { idFrom, LOBBY } from '../../../shared/mint.ts';
import { type Cursor, PROTOCOL } from '../../../shared/protocol/index.ts';
import type { Member } from '../stand/seed.ts';

export interface Dialect {
  /** `auth` of the handshake. There are no missed messages: the log of the room is at its beginning. */
  auth(member: Member): Record<string, unknown>;
  /** The beginning of the packet after which a client receives all messages. */
  welcomed: string;
  /** The event of a message, with its arguments. */
  message(member: Member, body: string, nth: number): unknown[];
  /** A text that an acknowledgement contains if the message is durable. */
  acknowledged: string;
  /** Messages have offsets: a client sees that it misses some, and fetches them. */
  hasOffsets: boolean;
}

/** The tutorial's clients have no names; their clientOffset is the socket's id and a counter. */
export const tutorial: Dialect = {
  auth: () => ({ serverOffset: 0 }),
  welcomed: '40',
  message: ({ id }, body, nth) => ['chat message', body, `${id.slice(0, SOCKET_ID_CHARACTERS)}-${nth}`],
  acknowledged: '[]',
  hasOffsets: false,
};

const SOCKET_ID_CHARACTERS = 20;

/** A request with one item, as the app sends for a single message. `roomOf`: where a member writes. */
export function holdfastFrom(beginning: Cursor, roomOf: (member: Member) => string = () => LOBBY): Dialect {
  return {
    auth: ({ id, token }) => ({
      protocol: PROTOCOL,
      features: ['entries2'],
      as: id,
      token,
      cursors: { [LOBBY]: beginning },
    }),
    welcomed: '42["welcome"',
    message: (member, body) => {
      const item = { kind: 'text', room: roomOf(member), clientOffset: idFrom(randomBytes(16)), body };
      return ['append', { as: member.id, items: [item] }];
    },
    acknowledged: '"serverOffset":',
    hasOffsets: true,
  };
}
