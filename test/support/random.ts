/** A seeded random generator for reproducible runs. */

export interface Random {
  /** From 0 up to, but not including, 1. */
  next(): number;
  /** An integer at least `from`, at most `to`. */
  int(from: number, to: number): number;
  pick<T>(from: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
  bytes(count: number): Uint8Array;
}

/** mulberry32, by Tommy Ettinger: 32 bits of state, enough for tests. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    int,
    pick: (from) => from[int(0, from.length - 1)]!,
    shuffle: (items) => shuffled(items, int),
    bytes: (count) => Uint8Array.from({ length: count }, () => int(0, 255)),
  };
}

function shuffled<T>(items: readonly T[], int: (from: number, to: number) => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = int(0, i);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
