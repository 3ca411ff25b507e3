/** A client based on `socket.io-client`: it reconnects by itself and sends its offset. */
import { io, type Socket } from 'socket.io-client';
import { LOBBY } from '../../../shared/mint.ts';
import type { Entries, Welcome } from '../../../shared/protocol/index.ts';
import type { Contender } from '../stand/stand.ts';

export interface Returner extends Disposable {
  isThere(): boolean;
  /** Messages so far. */
  heard(): number;
  /** True if the last connection resumed where the previous one ended. */
  isResumed(): boolean;
}

export function comeAndGo(contender: Contender, url: string, auth: Record<string, unknown>): Returner {
  const socket = io(url, {
    transports: ['websocket'],
    auth,
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 100,
  });
  return {
    ...RETURNERS[contender](socket, auth),
    isThere: () => socket.connected,
    [Symbol.dispose]: () => void socket.close(),
  };
}

type Memory = Pick<Returner, 'heard' | 'isResumed'>;

/** `socket.auth` is this object: changes to it are sent at the next connect. */
const RETURNERS: Record<Contender, (socket: Socket, auth: Record<string, unknown>) => Memory> = {
  tutorial(socket, auth) {
    let heard = 0;
    socket.on('chat message', (_msg: string, serverOffset: unknown) => {
      heard++;
      auth.serverOffset = serverOffset;
    });
    return { heard: () => heard, isResumed: () => socket.recovered };
  },
  holdfast(socket, auth) {
    let heard = 0;
    let isResumed = false;
    socket.on('welcome', ({ epoch, rooms }: Welcome) => {
      auth.epoch = epoch;
      isResumed = rooms.every(({ reset }) => reset !== true);
    });
    socket.on('entries', ({ entries }: Entries) => {
      heard += entries.length;
      const last = entries.at(-1)!;
      auth.cursors = { [LOBBY]: [last.serverOffset, last.at] };
    });
    return { heard: () => heard, isResumed: () => isResumed };
  },
};
