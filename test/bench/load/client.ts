/** One client of the load: connects, sends messages, counts the messages that it receives. */
import { backoff } from '../../../web/transport/backoff.ts';
import type { Member } from '../stand/seed.ts';
import type { Dialect } from './dialect.ts';
import { createLogFollower, type Hearing } from './logFollower.ts';
import { digitsAt, eachMark } from './marks.ts';
import { openWebSocket, type WebSocketClient } from './webSocket.ts';

export interface Client {
  /**
   * Resolves when the message is acknowledged as durable; rejects if it is refused, or if the connection ends and the client does
   * not come back. One that the server puts off is sent again when it said.
   */
  say(body: string): Promise<void>;
  /** Sends an event that nobody answers. */
  tell(name: string, payload: object): void;
  close(): void;
}

/** For a client that fetches what it misses, and comes back when the server ends its connection, as the app does. */
export interface Following extends Hearing {
  /** The server ended the connection. */
  cutOff(): void;
}

interface Message extends PromiseWithResolvers<void> {
  event: string;
}

/** `onMessage` gets the number after each message's mark. Resolves when the client receives all messages. */
export async function enter(
  url: string,
  member: Member,
  dialect: Dialect,
  onMessage: (number: number) => void,
): Promise<Client> {
  return connect(url, member, dialect, onMessage, undefined);
}

/** The same with a server that has offsets: what the client misses is fetched. */
export function follow(url: string, member: Member, dialect: Dialect, following: Following): Promise<Client> {
  return connect(url, member, dialect, following.live, following);
}

async function connect(
  url: string,
  member: Member,
  dialect: Dialect,
  onMessage: (number: number) => void,
  following: Following | undefined,
): Promise<Client> {
  const unacknowledged = new Set<Message>();
  const waiting = new Map<number, (packet: Buffer | undefined) => void>();
  const entered = Promise.withResolvers<void>();
  let acknowledgements = 0;
  let socket: WebSocketClient;
  let isIn = false;
  let isClosed = false;
  /** Since the last welcome. */
  let failures = 0;
  /** Until the server wants to see it again. */
  let pauseMs: number | undefined;

  const logs =
    following &&
    createLogFollower(following, function request(room, range, onAnswer) {
      if (!isIn) return onAnswer(undefined);
      ask(JSON.stringify(['range', { room, ...range }]), (packet) => {
        const pause = packet && packet.indexOf(NOT_OK) !== -1 ? pauseIn(packet) : undefined;
        if (pause === undefined) onAnswer(packet);
        else setTimeout(request, pause, room, range, onAnswer);
      });
    });

  const hear = (packet: Buffer, from: WebSocketClient) => {
    if (begins(packet, EVENT)) hearEvent(packet);
    else if (begins(packet, ACK)) settle(packet);
    else if (begins(packet, OPEN)) from.send(CONNECT + JSON.stringify(handshake()));
    else if (begins(packet, PING)) from.send(PONG);
    else if (begins(packet, REFUSED)) refused(packet, from);
    if (!isIn && begins(packet, dialect.welcomed)) welcomed();
  };

  const hearEvent = (packet: Buffer) => {
    if (!logs) eachMark(packet, onMessage);
    else if (begins(packet, ENTRIES)) logs.entries(packet);
    else if (begins(packet, HEADS)) logs.heads(packet);
    else if (begins(packet, ROOM)) logs.room(packet);
    else if (begins(packet, dialect.welcomed)) logs.welcome(packet);
  };

  const handshake = () => {
    const auth = dialect.auth(member);
    if (!logs) return auth;
    const { epoch, cursors } = logs.known();
    return {
      ...auth,
      ...(epoch !== undefined && { epoch }),
      cursors: { ...(auth.cursors as object), ...cursors },
    };
  };

  const welcomed = () => {
    [isIn, failures] = [true, 0];
    entered.resolve();
    for (const message of unacknowledged) send(message);
  };

  const refused = (packet: Buffer, from: WebSocketClient) => {
    pauseMs = pauseIn(packet);
    if (pauseMs === undefined || !following) failed(new Error(`not let in: ${packet}`));
    from.close();
  };

  const ask = (event: string, onAnswer: (packet: Buffer | undefined) => void) => {
    const number = acknowledgements++;
    waiting.set(number, onAnswer);
    socket.send(`${EVENT}${number}${event}`);
  };

  const settle = (packet: Buffer) => {
    const number = digitsAt(packet, ACK.length);
    const onAnswer = waiting.get(number);
    waiting.delete(number);
    onAnswer?.(packet);
  };

  /** Also again under the same key, after a lost connection: then it is one message. */
  const send = (message: Message) => {
    if (!isIn || !unacknowledged.has(message)) return;
    ask(message.event, (packet) => {
      if (!packet) return; // it is sent again when the client is back
      if (packet.includes(dialect.acknowledged)) message.resolve();
      else {
        const pause = pauseIn(packet);
        if (pause !== undefined) return void setTimeout(send, pause, message);
        message.reject(new Error(`a message was refused: ${packet}`));
      }
      unacknowledged.delete(message);
    });
  };

  const failed = (error: Error) => {
    isClosed = true;
    entered.reject(error);
    for (const message of unacknowledged) message.reject(error);
    unacknowledged.clear();
  };

  const end = () => {
    if (isClosed) return;
    if (!following) return failed(new Error('the server ended a connection of the load'));
    if (isIn) following.cutOff();
    isIn = false;
    const lost = [...waiting.values()];
    waiting.clear();
    for (const onAnswer of lost) onAnswer(undefined);
    setTimeout(comeBack, pauseMs ?? backoff(failures++, Math.random));
    pauseMs = undefined;
  };

  const comeBack = () => {
    if (isClosed) return;
    openWebSocket(url, hear, end, member.address).then((opened) => {
      socket = opened;
      if (isClosed) socket.close();
    }, end);
  };

  const late = setTimeout(
    () => failed(new Error(`not let in within ${ENTERED_WITHIN_MS / 1_000} s`)),
    ENTERED_WITHIN_MS,
  );
  try {
    socket = await openWebSocket(url, hear, end, member.address);
    await entered.promise;
  } finally {
    clearTimeout(late);
  }
  return {
    say(body) {
      const event = JSON.stringify(dialect.message(member, body, acknowledgements));
      const message = { ...Promise.withResolvers<void>(), event };
      unacknowledged.add(message);
      send(message);
      return message.promise;
    },
    tell: (name, payload) => void socket.send(EVENT + JSON.stringify([name, payload])),
    close() {
      isClosed = true;
      socket.close();
    },
  };
}

// Packet types of Engine.IO, and of Socket.IO inside an Engine.IO message (4).
const OPEN = '0';
const PING = '2';
const PONG = '3';
const CONNECT = '40';
const EVENT = '42';
const ACK = '43';
const REFUSED = '44';
// Holdfast's frames.
const ENTRIES = '42["entries"';
const HEADS = '42["heads"';
const ROOM = '42["room"';
const NOT_OK = '"ok":false';

const ENTERED_WITHIN_MS = 60_000;
/** Where the server does not say for how long. */
const PAUSE_MS = 1_000;

/** Milliseconds until what was refused may be tried again; undefined where it was not refused, or for good. */
function pauseIn(packet: Buffer): number | undefined {
  const text = packet.toString('latin1');
  const [, code] = /"code":"(rate-limited|unavailable|internal)"/.exec(text) ?? [];
  const [, pause] = /"retryAfter":(\d+)/.exec(text) ?? [];
  return code === undefined ? undefined : Number(pause ?? PAUSE_MS);
}

function begins(packet: Buffer, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (packet[i] !== text.charCodeAt(i)) return false;
  return true;
}
