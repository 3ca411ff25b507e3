/** Statistics over many samples. */
export interface Figures {
  count: number;
  least: number;
  median: number;
  p75: number;
  p99: number;
  most: number;
}

export function figuresOf(samples: readonly number[]): Figures {
  const at = (part: number) => quantile(samples, part);
  return {
    count: samples.length,
    least: at(0),
    median: at(0.5),
    p75: at(0.75),
    p99: at(0.99),
    most: at(1),
  };
}

/** The quantile `part` as one of the samples: the smallest sample that at least this part of all samples does not exceed. */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]!;
}
