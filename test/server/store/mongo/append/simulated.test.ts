/**
 * Writers on a simulated replica set (simulated/), with elections, rollbacks, late and repeated commands, lost replies,
 * and writers that pause or die at any step. More seeds: TEST_RUNS=200000; one alone: SEED=17.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useKinds } from '../../../../../shared/kinds.ts';
import { runsOf } from '../../../../support/runs.ts';
import { BROKEN, type BrokenVariant } from './simulated/broken.ts';
import { counting } from './simulated/counting.ts';
import { SIMULATED_KINDS } from './simulated/kinds.ts';
import { simulate } from './simulated/simulation.ts';
import { Broken } from './simulated/witness.ts';

const SEEDS = runsOf('writers on a replica set');
const ONE = Number(process.env.SEED ?? 0);
/** Number of seeds: even the rarest broken variant fails within some hundreds. */
const SEEDS_TO_CATCH = 3_000;
const THIS = 'test/server/store/mongo/append/simulated.test.ts';

beforeAll(() => useKinds(SIMULATED_KINDS));
afterAll(() => useKinds(undefined));

it('L1 L2 L3 L4 L5 hold after every step, whatever happens to a replica set and its writers', {
  timeout: 60_000 + SEEDS * 50,
}, () => {
  const counts = new Map<string, number>();
  const note = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  const lead = counting(note);
  for (let seed = ONE || 1; seed <= (ONE || SEEDS); seed++) {
    try {
      simulate(seed, { lead }, note);
    } catch (error) {
      throw new Error(`seed ${seed} (alone: SEED=${seed} vitest run ${THIS}): ${error}`, { cause: error });
    }
  }
  if (!ONE) expect(MUST_HAPPEN.filter((what) => !counts.has(what))).toEqual([]);
});

const MUST_HAPPEN = [
  'an election',
  'an entry is rolled back',
  'an insert is interrupted between its documents',
  'an insert arrives after it was given up',
  'a repeated command is recognised',
  'a repeated command is executed again: the first time is rolled back',
  'only the first documents are inserted',
  'another has its serverOffset',
  'another has its clientOffset',
  'it is refused',
  'a repeat is not committed yet',
  'a repeat moves the head',
  'a replacement is stored redacted',
  'a removal of what another wrote',
  'an entry about a subject',
  'an entry is stamped later than the clock says',
  'a head of which only the place is known',
  ...['insert', 'head', 'find', 'targets'].map((read) => `${read}: unknown`),
  ...['appended', 'repeat', 'conflict', 'no-target', 'failed'].map((tag) => `answered ${tag}`),
];

for (const broken of BROKEN) {
  it(`${broken.promise} not kept is noticed: ${broken.rule}`, { timeout: 60_000 }, () => {
    expect(caught(broken)).toBe(true);
  });
}

function caught(broken: BrokenVariant): boolean {
  const { fromSeed = 1 } = broken;
  for (let seed = fromSeed; seed < fromSeed + SEEDS_TO_CATCH; seed++) {
    try {
      simulate(seed, broken);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      if (broken.caughtBy.test(error.message)) return true;
    }
  }
  return false;
}
