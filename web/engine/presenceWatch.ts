/**
 * Who is here. While the page is visible it says so to the server every HERE_EVERY_MS; a hidden one says at once that nobody
 * looks at it. Who of the others is here is asked for when a small room is on the screen, then kept up to date by frames.
 * All in memory: without a connection nothing is known of anybody. The service worker has no socket, so it never counts.
 */
import { membershipOf } from '../../shared/kinds.ts';
import { ACKNOWLEDGE_WITHIN_MS, HERE_EVERY_MS, PRESENCE_MAX_MEMBERS } from '../../shared/limits.ts';
import type { Down, PersonPresence, Request } from '../../shared/protocol/index.ts';
import { shownName } from '../../shared/text.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { exactReasonOf, type Reason } from '../records/errorReason.ts';
import type { Page } from '../transport/browser.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

export interface PresenceWatch {
  /** The room is on the screen. */
  look(room: string | undefined): void;
  /** To be called with every frame. */
  received(frame: Down): void;
  /** Of the members of the room, the person included; undefined where it is not known, or not shown. */
  of(room: string): Readonly<Record<string, PersonPresence>> | undefined;
  /** A page of the members of a room; `next`: the `after` of the next one. */
  members(room: string, after?: string): Answered<MembersPage>;
  /** Whether the others see when this person is here, or what they have read; with `show` it is set. */
  show(what: 'presence' | 'readers', show?: boolean): Answered<{ shown: boolean }>;
  live(): void;
  /** The connection ended. */
  down(): void;
  close(): void;
}

type Answered<T> = Promise<({ ok: true } & T) | { ok: false; reason: Reason }>;

interface MembersPage {
  members: { id: string; name: string; presence: PersonPresence }[];
  next: string | undefined;
  /** The person hides, and so does not see it of others. */
  hidden: boolean;
}

interface Deps {
  db: UserDatabase;
  clock: Clock;
  page: Pick<Page, 'visible' | 'listen'>;
  opened(): string | undefined;
  connection(): Pick<ConnectionRunner, 'ask' | 'say'>;
  /** What `of` returns for the room on the screen changed. */
  changed(): void;
}

/** After somebody has joined or left, until it is asked again: a class that joins is one request. */
const ASK_AGAIN_MS = 1_000;
/** Then the server can answer later. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'rate-limited', 'internal']);

export function createPresenceWatch({ db, clock, page, opened, connection, changed }: Deps): PresenceWatch {
  let known: { room: string; people: Record<string, PersonPresence> } | undefined;
  /** The last request; another one takes its place. */
  let asked: object | undefined;
  /** The last request was not answered. */
  let isStale = false;
  let isLive = false;
  let beat: Timer | undefined;
  let again: Timer | undefined;

  function know(next: typeof known): void {
    if (!known && !next) return;
    known = next;
    changed();
  }

  async function ask(room: string): Promise<void> {
    const mine = {};
    asked = mine;
    isStale = false;
    const stored = await db.read(['rooms'], (tx) => tx.objectStore('rooms').get(room));
    if (mine !== asked) return;
    if (!stored || stored.left || stored.members > PRESENCE_MAX_MEMBERS) return know(undefined);
    const answer = await connection().ask('presence', { room }, ACKNOWLEDGE_WITHIN_MS);
    if (mine !== asked) return;
    isStale = !answer || (!answer.ok && PASSING.has(answer.error.code));
    if (!answer?.ok || answer.hidden || answer.next !== undefined) return know(undefined);
    know({ room, people: answer.people });
  }

  function look(room: string | undefined): void {
    if (room !== known?.room) know(undefined);
    asked = undefined;
    if (isLive && room !== undefined) ask(room).catch(() => {}); // the database cannot be read now
  }

  function askSoon(): void {
    again ??= clock.setTimeout(() => {
      again = undefined;
      look(opened());
    }, ASK_AGAIN_MS);
  }

  function say(here: boolean): void {
    connection().say('here', { here });
  }

  function stopBeat(): void {
    if (beat !== undefined) clock.clearTimeout(beat);
    beat = undefined;
  }

  function keepSaying(): void {
    stopBeat();
    if (!isLive || !page.visible) return;
    say(true);
    if (isStale) look(opened());
    beat = clock.setTimeout(keepSaying, HERE_EVERY_MS);
  }

  async function request<Name extends 'presence' | 'presence:show' | 'readers:show'>(
    name: Name,
    payload: Request<Name>,
  ) {
    const answer = await connection().ask(name, payload, ACKNOWLEDGE_WITHIN_MS);
    if (!answer) return { ok: false, reason: { code: 'offline' } } as const;
    return answer.ok
      ? ({ ok: true, answer } as const)
      : ({ ok: false, reason: exactReasonOf(answer.error) } as const);
  }

  const stopListening = page.listen((event) => {
    if (!isLive) return;
    if (page.visible && event !== 'freeze' && event !== 'pagehide') return keepSaying();
    stopBeat();
    say(false);
  });

  return {
    look,
    received({ event, payload }) {
      if (event === 'presence') {
        if ('again' in payload) look(opened());
        else if (payload.room === known?.room)
          know({ room: payload.room, people: { ...known.people, ...payload.people } });
      } else if (event === 'entries') {
        if (payload.room === opened() && payload.entries.some(membershipOf)) askSoon();
      } else if (event === 'room') {
        if ('removed' in payload && payload.removed === known?.room) know(undefined);
        if ('room' in payload && payload.room.id === opened()) askSoon(); // it has members from now on
      }
    },
    of: (room) => (known?.room === room ? known.people : undefined),
    async members(room, after) {
      const asked = await request('presence', { room, ...(after !== undefined && { after }) });
      if (!asked.ok) return asked;
      const { people, users, next, hidden = false } = asked.answer;
      const members = Object.entries(people).map(([id, presence]) => ({
        id,
        name: shownName(users[id]?.name ?? ''),
        presence,
      }));
      return { ok: true, members, next, hidden };
    },
    async show(what, show) {
      const asked = await request(`${what}:show`, show === undefined ? {} : { show });
      return asked.ok ? { ok: true, shown: asked.answer.shown } : asked;
    },
    live() {
      isLive = true;
      keepSaying();
      look(opened());
    },
    down,
    close() {
      stopListening();
      down();
    },
  };

  function down(): void {
    isLive = false;
    asked = undefined;
    stopBeat();
    if (again !== undefined) clock.clearTimeout(again);
    again = undefined;
    know(undefined);
  }
}
