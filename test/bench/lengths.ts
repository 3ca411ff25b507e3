/** The durations and amounts of each measurement. */
export interface Lengths {
  latency: { warmUpMs: number; forMs: number };
  saturation: { warmUpMs: number; forMs: number };
  operationsMs: number;
}

export interface Plan extends Lengths {
  rounds: number;
}

export const FULL: Plan = {
  rounds: 5,
  latency: { warmUpMs: 1_000, forMs: 4_000 },
  saturation: { warmUpMs: 1_500, forMs: 4_000 },
  operationsMs: 1_500,
};

/** A short run, to check that everything works and nothing has become much slower. */
export const QUICK: Plan = {
  rounds: 2,
  latency: { warmUpMs: 500, forMs: 1_500 },
  saturation: { warmUpMs: 1_000, forMs: 2_000 },
  operationsMs: 500,
};
