/** What a person wrote and was told about it: nothing of it may be lost, and nothing sent twice. */

/** One message, through all that it ever said. */
export interface Written {
  user: string;
  room: string;
  /** In the order in which they were asked for. */
  bodies: Body[];
  /** When it was last asked to be deleted or given up, if ever. */
  givenUpAt: number | undefined;
  /** Something refused it, or it was changed: it may come later than what was written after it (L5). */
  mayComeLate: boolean;
  /** Another device changed it, too. */
  isShared: boolean;
}

/** Every body is said once in a run, so that it is found wherever it is. */
export interface Body {
  text: string;
  kind: 'text' | 'edit';
  of: Written;
  asked: number;
  /** When it was told to be safe. */
  accepted: number | undefined;
  /** It was told to have failed, and is not tried again yet. */
  isTold: boolean;
  /** It was told to have failed, and the person wrote something else instead. */
  abandoned: boolean;
  /** A change that was given up by hand; the message stays. */
  dropped: boolean;
  /** The server refused it, whatever became of other attempts: what is written instead has its place. */
  isRefused: boolean;
}

export interface Ledger {
  all(): readonly Body[];
  find(text: string): Body | undefined;
  /** A message, or a new text of one. Asked for now. */
  ask(kind: Body['kind'], text: string, of: Written): Body;
  message(user: string, room: string): Written;
  /** A new text, never said before. Whose it is, stands in it. */
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

/** Text that nobody but this user may see while it is unsent. */
export function isOf(text: string, user: string): boolean {
  return text.startsWith(`${user.slice(0, 4)} `);
}

/** Something that was written later stands for it, or it was given up. */
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
