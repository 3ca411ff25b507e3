/** A member of the lobby that comes back as the app does: after the time of a `bye`, else after a short random one. */
import type { Entry } from '../../../shared/entry.ts';
import type { Entries, Welcome } from '../../../shared/protocol/index.ts';
import { openWebSocket, type WebSocketClient } from '../load/webSocket.ts';

/** One absence, in ms of `performance.now()`. */
export interface Absence {
  /** `retryAfter` of the `bye`; undefined where there was none. */
  told: number | undefined;
  lostAt: number;
  /** When it first tried to connect again, and when it had its `welcome`. */
  triedAt: number;
  backAt: number;
}

export interface Returner {
  isThere(): boolean;
  /** The end of its unbroken copy of the log. */
  held(): number;
  /** Entries that it was sent again. */
  doubled(): number;
  absences: readonly Absence[];
  /** Resolves with the packet of the acknowledgement; undefined where the connection ends before it. */
  ask(event: unknown[]): Promise<string | undefined>;
  close(): void;
}

interface Setting {
  url: string;
  auth: Record<string, unknown>;
  room: string;
  /** The end of the log at the beginning. */
  cursor: readonly [serverOffset: number, at: number];
}

/** Without a `bye`: the app begins with less than a second. */
const FIRST_RETRY_MS = 1_000;
const RETRY_MAX_MS = 5_000;
const CATCH_UP_MS = 5_000;

export function startReturner({ url, auth, room, cursor }: Setting): Returner {
  const absences: Absence[] = [];
  const waiting = new Map<number, (packet: string | undefined) => void>();
  let [held, at] = cursor;
  let epoch: string | undefined;
  let [doubled, asked, head] = [0, 0, 0];
  const beyond = new Map<number, Entry>();
  let isFilling = false;
  let told: number | undefined;
  let lostAt: number | undefined;
  let triedAt: number | undefined;
  let failures = 0;
  let socket: WebSocketClient | undefined;
  let isThere = false;
  let isOver = false;
  void connect();

  async function connect(): Promise<void> {
    if (isOver) return;
    if (lostAt !== undefined) triedAt ??= performance.now();
    try {
      socket = await openWebSocket(url, hear, onEnd);
    } catch {
      retryLater();
    }
  }

  function retryLater(): void {
    const most = Math.min(RETRY_MAX_MS, FIRST_RETRY_MS * 2 ** failures++);
    setTimeout(connect, most * (0.5 + Math.random() / 2));
  }

  function onEnd(): void {
    if (isOver) return;
    if (isThere) lostAt = performance.now();
    isThere = false;
    for (const settle of waiting.values()) settle(undefined);
    waiting.clear();
    if (told === undefined) retryLater();
    else setTimeout(connect, told);
  }

  function hear(packet: Buffer, from: WebSocketClient): void {
    const text = packet.toString();
    if (text.startsWith('0'))
      from.send(`40${JSON.stringify({ ...auth, epoch, cursors: { [room]: [held, at] } })}`);
    else if (text.startsWith('2')) from.send('3');
    else if (text.startsWith('42["welcome"')) onWelcome(JSON.parse(text.slice(2))[1]);
    else if (text.startsWith('42["entries"')) onEntries(JSON.parse(text.slice(2))[1]);
    else if (text.startsWith('42["heads"')) onHead(JSON.parse(text.slice(2))[1][room]);
    else if (text.startsWith('42["bye"')) told = JSON.parse(text.slice(2))[1].retryAfter;
    else if (text.startsWith('43')) onAcknowledged(text);
  }

  function onWelcome(welcome: Welcome): void {
    epoch = welcome.epoch;
    isThere = true;
    failures = 0;
    if (lostAt !== undefined)
      absences.push({ told, lostAt, triedAt: triedAt ?? lostAt, backAt: performance.now() });
    told = undefined;
    lostAt = undefined;
    triedAt = undefined;
    const known = welcome.rooms.find(({ id }) => id === room)?.head;
    setTimeout(() => onHead(known), CATCH_UP_MS); // the catch-up follows by itself
  }

  function onEntries(frame: Entries): void {
    if (frame.room !== room) return;
    for (const entry of frame.entries) {
      if (entry.serverOffset <= held || beyond.has(entry.serverOffset)) doubled++;
      else beyond.set(entry.serverOffset, entry);
      head = Math.max(head, entry.serverOffset);
    }
    extend();
    if (held < head && !isFilling) void fill();
  }

  function onHead(known: number | undefined): void {
    head = Math.max(head, known ?? 0);
    if (held < head && !isFilling) void fill();
  }

  function extend(): void {
    for (let next = beyond.get(held + 1); next; next = beyond.get(held + 1)) {
      beyond.delete(next.serverOffset);
      [held, at] = [next.serverOffset, next.at];
    }
  }

  /** S2: what a frame leaves out is requested. */
  async function fill(): Promise<void> {
    isFilling = true;
    while (held < head && isThere) {
      const packet = await ask(['range', { room, from: held + 1, to: Math.min(head, held + 100) }]);
      const [answer] = packet ? (JSON.parse(packet.replace(/^43\d+/, '')) as [{ entries?: Entry[] }]) : [];
      for (const entry of answer?.entries ?? [])
        if (entry.serverOffset > held) beyond.set(entry.serverOffset, entry);
      extend();
    }
    isFilling = false;
  }

  function ask(event: unknown[]): Promise<string | undefined> {
    if (!isThere || !socket) return Promise.resolve(undefined);
    const number = asked++;
    const answer = new Promise<string | undefined>((resolve) => waiting.set(number, resolve));
    socket.send(`42${number}${JSON.stringify(event)}`);
    return answer;
  }

  function onAcknowledged(text: string): void {
    const number = Number.parseInt(text.slice(2), 10);
    waiting.get(number)?.(text);
    waiting.delete(number);
  }

  return {
    isThere: () => isThere,
    held: () => held,
    doubled: () => doubled,
    absences,
    ask,
    close() {
      isOver = true;
      socket?.close();
    },
  };
}
