/**
 * `npm run bench`: compares Holdfast with the tutorial's server, round by round, and writes docs/BENCHMARK.md and
 * docs/benchmark.json. `--only sqlite|mongo1|mongo2|fairness`, `--rounds 5` (with fewer, nothing is written), `--quick` (a short
 * run that writes nothing), `--profile` (CPU of Holdfast alone, by function).
 */
import { parseArgs } from 'node:util';
import { type FairnessRound, measureFairness } from './fairness/fairness.ts';
import { fairnessTable } from './fairness/section.ts';
import { FULL, type Lengths, QUICK } from './lengths.ts';
import { thisMachine } from './machine.ts';
import { profile } from './profile.ts';
import { type Results, SETTINGS, tableOf } from './report.ts';
import { readResults, writeResults } from './results.ts';
import { measureRound, type Round } from './round.ts';
import { describeDatabase, type Setting } from './stand/database.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
});

const settings = SETTINGS.filter((setting) => values.only === undefined || values.only === setting);
const wantsFairness = values.only === undefined || values.only === 'fairness';
if (settings.length === 0 && !wantsFairness)
  throw new Error(`--only takes one of ${SETTINGS.join(', ')}, fairness`);

if (values.profile) for (const setting of settings) await profile(setting);
else await bench();

async function bench(): Promise<void> {
  const lengths = values.quick ? QUICK : FULL;
  const rounds = Number(values.rounds ?? lengths.rounds);
  if (!(rounds >= 1)) throw new Error('--rounds takes a number');
  const isReport = !values.quick && rounds >= FULL.rounds;
  for (const setting of settings) {
    const database = await describeDatabase(setting);
    console.log(`\n== ${setting}: ${database}`);
    const measured = await interleaved(setting, rounds, lengths);
    console.log(tableOf(measured));
    if (!isReport) continue; // too few rounds for a report
    const run = { date: new Date().toISOString(), machine: thisMachine(), database, rounds: measured };
    await writeResults({ ...(await readResults()), [setting]: run } satisfies Results);
  }
  if (wantsFairness) await fairness(rounds, lengths, isReport);
}

async function fairness(count: number, lengths: Lengths, isReport: boolean): Promise<void> {
  const database = await describeDatabase('mongo1');
  console.log(`\n== fairness: ${database}`);
  const rounds: FairnessRound[] = [];
  while (rounds.length < count) rounds.push(await measureFairness(lengths.saturation));
  console.log(fairnessTable(rounds));
  const run = { date: new Date().toISOString(), machine: thisMachine(), database, rounds };
  if (isReport) await writeResults({ ...(await readResults()), fairness: run } satisfies Results);
}

async function interleaved(setting: Setting, count: number, lengths: Lengths): Promise<Round[]> {
  const rounds: Round[] = [];
  while (rounds.length < count) {
    const start = performance.now();
    rounds.push(await measureRound(setting, lengths));
    console.log(`round ${rounds.length} of ${count}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
  return rounds;
}
