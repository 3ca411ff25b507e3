/** Records what a user wrote and which result the app showed: nothing may be lost or sent twice. */

/** One message with all its versions. */
export interface Written {
  user: string;
  room: string;
  /** In the order of the user's actions. */
  bodies: Body[];
  /** The time of the last delete or discard, if any. */
  givenUpAt: number | undefined;
  /** It was refused or changed, so it may be in the log after messages that were written later (L5). */
  mayComeLate: boolean;
  /** Another device changed it too. */
  isShared: boolean;
}

/** Every body is unique in a run, so it can be found anywhere. */
export interface Body {
  text: string;
  kind: 'text' | 'edit';
  of: Written;
  asked: number;
  /** When the app reported it as stored. */
  accepted: number | undefined;
  /** The app reported a failure, and it was not retried yet. */
  isTold: boolean;
  /** The app reported a failure, and the user wrote another text instead. */
  abandoned: boolean;
  /** An amendment that the user discarded; the message stays. */
  dropped: boolean;
  /** The server refused one attempt: its replacement may take its position in the order. */
  isRefused: boolean;
}

export interface Ledger {
  all(): readonly Body[];
  find(text: string): Body | undefined;
  /** Records a new message, or a new text of one, at the present time. */
  ask(kind: Body['kind'], text: string, of: Written): Body;
  message(user: string, room: string): Written;
  /** A new unique text, which contains its author. */
  say(user: string, length?: number): string;
  tick(): number;
}

export function createLedger(): Ledger {
  const bodies = new Map<string, Body>();
  let ticks = 0;
  let said = 0;
  return {
    all: () => [...bodies.values()],
    find: (text) => bodies.get(text),
    tick: () => ++ticks,
    ask(kind, text, of) {
      const body = {
        text,
        kind,
        of,
        asked: ++ticks,
        accepted: undefined,
        isTold: false,
        abandoned: false,
        dropped: false,
        isRefused: false,
      };
      bodies.set(text, body);
      of.bodies.push(body);
      return body;
    },
    message: (user, room) => ({
      user,
      room,
      bodies: [],
      givenUpAt: undefined,
      mayComeLate: false,
      isShared: false,
    }),
    say: (user, length = 0) => `${user.slice(0, 4)} ${++said}`.padEnd(length, '.'),
  };
}

/** True if the text was written by this user; nobody else may see it before it is sent. */
export function isOf(text: string, user: string): boolean {
  return text.startsWith(`${user.slice(0, 4)} `);
}

/** It was replaced by a later text, or discarded. */
export function isOver(body: Body, isThere: (text: string) => boolean): boolean {
  const { of, asked } = body;
  if (body.dropped || body.abandoned) return true;
  if (of.givenUpAt !== undefined && of.givenUpAt > asked) return true;
  return of.bodies.some(
    (other) =>
      other !== body &&
      (other.asked > asked || (other.accepted ?? 0) > asked) &&
      (other.accepted !== undefined || isThere(other.text)),
  );
}
