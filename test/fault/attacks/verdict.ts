/** The figures of an attack, and what they say. Pure. */

export interface Figures {
  name: string;
  /** `frozen`: it lives and answers nobody for 10 s. */
  end: 'alive' | 'dead' | 'frozen';
  /** What the attacker did and was answered. */
  counts: Record<string, number>;
  /** Of the attack, until the innocents have their last answer. */
  seconds: number;
  /** Of the processor, by the server's process. */
  cpuMs: number;
  /** p99 of the innocents' latencies before all attacks; during this one; on a server that nobody attacks, at the same time. */
  quietMs: number;
  p99Ms: number;
  controlMs: number;
  /** The p99 may always be so long. */
  leastBoundMs: number;
  /** Refusals and lost connections of the innocents, here and on the control. */
  troubles: string[];
  controlTroubles: string[];
  /** Resident memory of the server. */
  beforeMb: number;
  peakMb: number;
}

/** The issue's bound of the innocents' p99, where the quiet one is short. */
export const LEAST_BOUND_MS = 100;
const TIMES_QUIET = 5;
/**
 * Resident memory. 256 MB is the heap, which V8 may fill before it collects, and 48 MB its young generation. A quiet server has
 * 90 MB beside it (program, threads of the store). Unsent bytes may have 48 MB (UNSENT_TOTAL_BYTES), two hashes of passwords
 * 64 MB. The rest is for what is being received, and for what malloc has not given back.
 */
const RESIDENT_MAX_MB = 600;
/** What earlier attacks took and malloc has not given back is not held against a later one, which may add so much. */
const GROWTH_MAX_MB = 200;
const ALL_ATTACKS_MAX_MB = 900;

/**
 * One sentence for each way in which the server or an innocent was hurt.
 *
 * The bound is that of the issue: five times the quiet latency, or 100 ms. Quiet is the slower of before the attack, and of
 * the control during the attack: a machine that is busy with other things slows down the control as well, while what an
 * attack does to its server does not reach the control.
 */
export function hurtIn(figures: Figures): string[] {
  const { end, p99Ms, quietMs, controlMs, leastBoundMs } = figures;
  const { beforeMb, peakMb, troubles, controlTroubles } = figures;
  const boundMs = Math.max(leastBoundMs, TIMES_QUIET * Math.max(quietMs, controlMs));
  const boundMb = Math.min(ALL_ATTACKS_MAX_MB, Math.max(RESIDENT_MAX_MB, beforeMb + GROWTH_MAX_MB));
  const kinds = [...new Set(troubles)];
  return [
    ...(end === 'alive' ? [] : [`the server is ${end}`]),
    ...(peakMb > boundMb ? [`it has ${peakMb.toFixed(0)} MB, above ${boundMb.toFixed(0)}`] : []),
    ...(p99Ms > boundMs ? [`the innocents’ p99 is ${p99Ms.toFixed(0)} ms, above ${boundMs.toFixed(0)}`] : []),
    ...(kinds.length > 0 && controlTroubles.length === 0
      ? [`an innocent had trouble ${troubles.length} times: ${kinds.slice(0, 3).join('; ')}`]
      : []),
  ];
}

export function p99(latencies: readonly number[]): number {
  const sorted = [...latencies].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY;
}

export function lineOf(figures: Figures): string {
  const { name, end, seconds, cpuMs, quietMs, p99Ms, controlMs, beforeMb, peakMb, counts } = figures;
  const ms = [quietMs, controlMs, p99Ms].map((one) => one.toFixed(0)).join('/');
  const what = Object.entries(counts).map(([key, times]) => `${times} ${key}`);
  return `${end.padEnd(6)} ${name}: p99 ${ms} ms (quiet/control/attack), ${beforeMb.toFixed(0)} → ${peakMb.toFixed(0)} MB, ${cpuMs} ms CPU in ${seconds.toFixed(1)} s; ${what.join(', ').slice(0, 300)}`;
}
