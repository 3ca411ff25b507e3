/** What the clients of the two servers say, as packets of Engine.IO and Socket.IO. Everything else is the same for both. */
import { randomBytes } from 'node:crypto';
import { idFrom, LOBBY } from '../../../shared/mint.ts';
import { type Cursor, PROTOCOL } from '../../../shared/protocol/index.ts';
import type { Member } from '../stand/seed.ts';

export interface Dialect {
  /** What `auth` of the handshake says. Nobody has missed anything: the room is at its beginning. */
  auth(member: Member): Record<string, unknown>;
  /** What the packet begins with by which a client knows that it hears everything from now on. */
  welcomed: string;
  /** The event of a message, with its arguments. */
  message(member: Member, body: string, nth: number): unknown[];
  /** What an acknowledgement contains when the message is durable. */
  acknowledged: string;
}

/** The tutorial's clients have no names; their clientOffset is the socket's id and a counter. */
export const tutorial: Dialect = {
  auth: () => ({ serverOffset: 0 }),
  welcomed: '40',
  message: ({ id }, body, nth) => ['chat message', body, `${id.slice(0, SOCKET_ID_CHARACTERS)}-${nth}`],
  acknowledged: '[]',
};

const SOCKET_ID_CHARACTERS = 20;

/** One item in a request: what the app sends when its user writes one message. */
export function holdfastFrom(beginning: Cursor): Dialect {
  return {
    auth: ({ id, token }) => ({
      protocol: PROTOCOL,
      features: ['entries2'],
      as: id,
      token,
      cursors: { [LOBBY]: beginning },
    }),
    welcomed: '42["welcome"',
    message: ({ id }, body) => {
      const item = { kind: 'text', room: LOBBY, clientOffset: idFrom(randomBytes(16)), body };
      return ['append', { as: id, items: [item] }];
    },
    acknowledged: '"serverOffset":',
  };
}
