/** How ill a seed treats its clients. All of it stops for the kind stretch at the end. */
import type { Random } from '../../support/random.ts';

/** How often each happens, of one. */
export interface Rates {
  /** A live frame is lost, or comes again. */
  frame: number;
  repeat: number;
  /** A request is refused as a whole, ends before an item, refuses an item. */
  whole: number;
  stop: number;
  refuse: number;
  /** Under an item's key stands another text. */
  key: number;
  /** A range is cut short. */
  short: number;
  /** A connection ends with a request, or before its answer; without a word. */
  fate: number;
  silent: number;
  /** An append takes long. */
  slow: number;
}

export interface Ill {
  losesFrame(): boolean;
  repeatsFrame(): boolean;
  /** The whole request is refused; `applied`: although it was done. */
  refusesAll(): { code: string; retryAfter?: number; applied: boolean } | undefined;
  /** The append ends before this item. */
  stops(): { code: string; retryAfter?: number } | undefined;
  /** For good, this item. */
  refuses(): string | undefined;
  /** Under its key stands another text. */
  takesKey(key: string): boolean;
  cutsShort(): boolean;
  /** What becomes of a request: it arrives, or the connection ends before it does, or before its answer is back. */
  fate(): 'arrives' | 'lost' | 'unanswered';
  /** The connection ends without a word to the client. */
  silently(): boolean;
  /** How long something is on its way. */
  latency(): number;
  /** How long the server takes over an append. */
  takes(): number;
  /** No network, or no server. */
  unreachable: boolean;
  kind(): void;
}

export function createIll(random: Random, story: Partial<Rates>): Ill {
  let isKind = false;
  const strength = random.pick([0.2, 1, 1, 2]);
  /** A seed knows only some of the ills, so that the others get room. */
  const often = () => (random.next() < 0.6 ? strength * random.pick([0.03, 0.1, 0.2, 0.5]) : 0);
  const rates: Rates = {
    frame: often(),
    repeat: often(),
    whole: often(),
    stop: often(),
    refuse: often(),
    key: often() / 2,
    short: often(),
    fate: often(),
    slow: often(),
    silent: random.next() < 0.5 ? 0.5 : 0,
    ...story,
  };
  const taken = new Set<string>();
  const slowest = random.pick([5, 50, 400]);
  const is = (rate: number) => !isKind && rate > 0 && random.next() < rate;
  const wait = () => (random.next() < 0.5 ? { retryAfter: random.int(10, 3_000) } : {});

  const ill: Ill = {
    losesFrame: () => is(rates.frame),
    repeatsFrame: () => is(rates.repeat),
    refusesAll() {
      if (!is(rates.whole)) return undefined;
      const code = random.pick(['unavailable', 'rate-limited', 'internal', 'internal', 'invalid', 'novel']);
      return {
        code,
        ...wait(),
        applied: code !== 'invalid' && code !== 'rate-limited' && random.next() < 0.4,
      };
    },
    stops: () =>
      is(rates.stop)
        ? { code: random.pick(['unavailable', 'rate-limited', 'internal']), ...wait() }
        : undefined,
    refuses: () =>
      is(rates.refuse)
        ? random.pick(['invalid', 'forbidden', 'not-found', 'too-large', 'internal'])
        : undefined,
    takesKey(key) {
      if (is(rates.key)) taken.add(key);
      return taken.has(key);
    },
    cutsShort: () => is(rates.short),
    fate: () => (is(rates.fate) ? random.pick(['lost', 'unanswered']) : 'arrives'),
    silently: () => is(rates.silent),
    latency: () => (isKind ? 2 : random.int(0, slowest)),
    takes: () => (is(rates.slow) ? random.pick([100, 3_000, 11_000, 14_000]) : random.int(0, 20)),
    unreachable: false,
    kind() {
      isKind = true;
      ill.unreachable = false;
    },
  };
  return ill;
}
