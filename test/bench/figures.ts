/** The seven figures of the report: how each is calculated, and its targets. */
import type { Measured } from './round.ts';
import type { Contender } from './stand/stand.ts';

export interface Figure {
  title: string;
  unit: string;
  of: (measured: Measured) => number;
  /** Target for the ratio Holdfast : tutorial, a minimum if more is better and a maximum if less is better. */
  better: 'more' | 'less';
  must: number;
  aim: number;
}

export const FIGURES = {
  acknowledged: {
    title: 'acknowledged, durable messages per second, all 200 sending',
    unit: '/s',
    of: ({ saturation }: Pick<Measured, 'saturation'>) => saturation.acknowledgedPerSecond,
    better: 'more',
    must: 5,
    aim: 10,
  },
  cpu: {
    title: 'CPU of server and database per message, same',
    unit: 'ms',
    of: ({ saturation }: Pick<Measured, 'saturation'>) => saturation.cpuPerMessage,
    better: 'less',
    must: 0.2,
    aim: 0.1,
  },
  deliveries: {
    title: 'deliveries per second of server CPU at saturation',
    unit: '/s',
    of: ({ saturation }: Pick<Measured, 'saturation'>) => saturation.deliveriesPerCpuSecond,
    better: 'more',
    must: 4,
    aim: 8,
  },
  p99: {
    title: 'p99 from send to receipt at 50 messages a second',
    unit: 'ms',
    of: ({ latency }: Pick<Measured, 'latency'>) => latency.p99,
    better: 'less',
    must: 1,
    aim: 0.5,
  },
  memory: {
    title: 'memory per idle connection',
    unit: 'B',
    of: ({ bytesPerConnection }: Pick<Measured, 'bytesPerConnection'>) => bytesPerConnection,
    better: 'less',
    must: 1,
    aim: 0.95,
  },
  resume: {
    title: 'bytes to resume with 50 missed messages of 40 characters',
    unit: 'B',
    of: ({ resume }: Pick<Measured, 'resume'>) => resume.bytesReceived,
    better: 'less',
    must: 1,
    aim: 0.5,
  },
  operations: {
    title: 'database operations per message at saturation',
    unit: '',
    of: ({ operations }: Pick<Measured, 'operations'>) => operations.all,
    better: 'less',
    must: 0.5,
    aim: 0.3,
  },
} satisfies Record<string, Figure>;

/** The ratio Holdfast : tutorial. */
export function ratioOf<M>(figure: { of: (measured: M) => number }, round: Record<Contender, M>): number {
  return figure.of(round.holdfast) / figure.of(round.tutorial);
}

export type Verdict = 'aim' | 'must' | 'missed';

export function verdictOn({ better, must, aim }: Figure, ratio: number): Verdict {
  const reaches = (bound: number) => (better === 'more' ? ratio >= bound : ratio <= bound);
  return reaches(aim) ? 'aim' : reaches(must) ? 'must' : 'missed';
}
