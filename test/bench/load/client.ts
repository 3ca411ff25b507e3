/** One client of the load: connects, sends messages, counts the messages that it receives. */
import type { Member } from '../stand/seed.ts';
import type { Dialect } from './dialect.ts';
import { openWebSocket, type WebSocketClient } from './webSocket.ts';

export interface Client {
  /**
   * Resolves when the message is acknowledged as durable; rejects if it is refused or the connection ends. One that the server puts
   * off is sent again when it said.
   */
  say(body: string): Promise<void>;
  /** Sends an event that nobody answers. */
  tell(name: string, payload: object): void;
  close(): void;
}

/** A mark that each message's body contains once, and no other part of a packet; both servers' messages are counted by it. */
export const MARK = '#';

/** `onMessage` gets the number after each message's mark. Resolves when the client receives all messages. */
export async function enter(
  url: string,
  member: Member,
  dialect: Dialect,
  onMessage: (number: number) => void,
): Promise<Client> {
  const entered = Promise.withResolvers<void>();
  const waiting = new Map<number, PromiseWithResolvers<void> & { event: string }>();
  let acknowledgements = 0;
  let isClosed = false;

  const hear = (packet: Buffer, socket: WebSocketClient) => {
    if (begins(packet, EVENT)) eachMark(packet, onMessage);
    else if (begins(packet, ACK)) settle(packet.toString('latin1'));
    else if (begins(packet, OPEN)) socket.send(CONNECT + JSON.stringify(dialect.auth(member)));
    else if (begins(packet, PING)) socket.send(PONG);
    else if (begins(packet, REFUSED)) entered.reject(new Error(`not let in: ${packet}`));
    if (begins(packet, dialect.welcomed)) entered.resolve();
  };

  const settle = (packet: string) => {
    const number = Number.parseInt(packet.slice(ACK.length), 10);
    const message = waiting.get(number);
    waiting.delete(number);
    const [, putOff] = /"retryAfter":(\d+)/.exec(packet) ?? [];
    if (packet.includes(dialect.acknowledged)) message?.resolve();
    else if (message && putOff !== undefined) setTimeout(send, Number(putOff), message);
    else message?.reject(new Error(`a message was refused: ${packet}`));
  };

  const send = (message: PromiseWithResolvers<void> & { event: string }) => {
    const number = acknowledgements++;
    waiting.set(number, message);
    socket.send(`${EVENT}${number}${message.event}`);
  };

  const end = () => {
    if (isClosed) return;
    const error = new Error('the server ended a connection of the load');
    entered.reject(error);
    for (const message of waiting.values()) message.reject(error);
  };

  const socket = await openWebSocket(url, hear, end);
  await entered.promise;
  return {
    say(body) {
      const event = JSON.stringify(dialect.message(member, body, acknowledgements));
      const message = { ...Promise.withResolvers<void>(), event };
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

function begins(packet: Buffer, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (packet[i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Finds the mark with memchr and reads the digits, without parsing and without allocation. */
function eachMark(packet: Buffer, onMessage: (number: number) => void): void {
  for (let at = packet.indexOf(MARK_BYTE); at !== -1; at = packet.indexOf(MARK_BYTE, at + 1)) {
    let number = 0;
    for (let i = at + 1; packet[i]! >= ZERO && packet[i]! <= NINE; i++)
      number = number * 10 + packet[i]! - ZERO;
    onMessage(number);
  }
}

const MARK_BYTE = MARK.charCodeAt(0);
const ZERO = 48;
const NINE = 57;
