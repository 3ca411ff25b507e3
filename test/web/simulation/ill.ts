/** The faults of a seed, as probabilities. All faults stop for the end of a run. */
import type { Random } from '../../support/random.ts';

/** The probability of each fault. */
export interface Rates {
  /** A live frame is lost, or repeated. */
  frame: number;
  repeat: number;
  /** A request is refused as a whole, stops before an item, or refuses an item. */
  whole: number;
  stop: number;
  refuse: number;
  /** Another text is already stored under an item's key. */
  key: number;
  /** A range has fewer entries than requested. */
  short: number;
  /** A connection ends before a request arrives, or before its answer; without an event. */
  fate: number;
  silent: number;
  /** An append is slow. */
  slow: number;
}

export interface Ill {
  losesFrame(): boolean;
  repeatsFrame(): boolean;
  /** The whole request is refused; `applied`: although it was executed. */
  refusesAll(): { code: string; retryAfter?: number; applied: boolean } | undefined;
  /** The append stops before this item. */
  stops(): { code: string; retryAfter?: number } | undefined;
  /** Refuses this item permanently. */
  refuses(): string | undefined;
  /** Another text is stored under its key. */
  takesKey(key: string): boolean;
  cutsShort(): boolean;
  /** Whether a request arrives, or the connection ends before the request or before the answer arrives. */
  fate(): 'arrives' | 'lost' | 'unanswered';
  /** The connection ends without an event at the client. */
  silently(): boolean;
  /** The latency of the network. */
  latency(): number;
  /** The duration of an append in the server. */
  takes(): number;
  /** The network or the server is down. */
  unreachable: boolean;
  kind(): void;
}

export function createIll(random: Random, story: Partial<Rates>): Ill {
  let isKind = false;
  const strength = random.pick([0.2, 1, 1, 2]);
  /** Each seed has only some of the faults, so that they occur more often. */
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
