/**
 * `npm run capacity`: measures how much one process on one core holds, and writes docs/CAPACITY.md and docs/capacity.json.
 * `--only sqlite|mongo1`; `--quick` (a short run that writes nothing). Linux with two cores or more.
 */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { ROOT } from '../../support/tools.ts';
import { thisMachine } from '../machine.ts';
import { describeDatabase } from '../stand/database.ts';
import { behind, connected, type Rooms, SERVER_CORE, spoken, stored, storm } from './parts.ts';
import { type Capacities, type Capacity, reportOf } from './report.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
const SETTINGS = ['sqlite', 'mongo1'] as const;
const settings = SETTINGS.filter((setting) => values.only === undefined || values.only === setting);
if (settings.length === 0) throw new Error(`--only takes one of ${SETTINGS.join(', ')}`);

const cores = availableParallelism();
if (process.platform !== 'linux' || cores < 2)
  throw new Error('this needs Linux with two cores or more: the server gets one for itself');
execFileSync('taskset', ['-acp', `${SERVER_CORE + 1}-${cores - 1}`, `${process.pid}`]);

const full = {
  connected: [1_000, 5_000, 10_000],
  idleMs: 30_000,
  forMs: 5_000,
  // filling the database of the tests, which is slow, with a million takes half an hour
  entries: { sqlite: 1_000_000, mongo1: process.env.BENCH_MONGOD ? 1_000_000 : 50_000 },
  storm: 5_000,
  warmUp: 500,
  behind: { people: 200, messages: 10_000 },
};
const quick = {
  connected: [100, 200],
  idleMs: 1_000,
  forMs: 1_000,
  entries: { sqlite: 10_000, mongo1: 2_000 },
  storm: 200,
  warmUp: 50,
  behind: { people: 20, messages: 1_000 },
};
const sizes = values.quick ? quick : full;
const ROOMS: readonly Rooms[] = [
  { title: 'one room of 200', people: 200, members: 'all' },
  { title: 'one room of 2,000', people: 2_000, members: 'all' },
  { title: '1,000 rooms of 10', people: 1_000, members: 10 },
];

const found: Capacities = values.quick
  ? {}
  : JSON.parse(await readFile(dataFile(), 'utf8').catch(() => '{}'));
for (const setting of settings) {
  found[setting] = await measure(setting);
  console.log(reportOf(found));
  if (values.quick) continue;
  await writeFile(dataFile(), `${JSON.stringify(found, rounded, 2)}\n`);
  await writeFile(`${ROOT}/docs/CAPACITY.md`, reportOf(found));
}

async function measure(setting: 'sqlite' | 'mongo1'): Promise<Capacity> {
  const { people, messages } = sizes.behind;
  return {
    date: new Date().toISOString(),
    machine: thisMachine(),
    database: await describeDatabase(setting),
    spoken: await inOrder(ROOMS, (rooms) =>
      said(`${rooms.title}, ${setting}`, () => spoken(setting, rooms, sizes.forMs)),
    ),
    connected: await said('connected', () => connected(setting, sizes.connected, sizes.idleMs)),
    stored: await said('stored', () => stored(setting, sizes.entries[setting])),
    storm: {
      tutorial: await said('storm, tutorial', () => storm('tutorial', setting, sizes.storm, sizes.warmUp)),
      holdfast: await said('storm', () => storm('holdfast', setting, sizes.storm, sizes.warmUp)),
    },
    behind: {
      tutorial: await said('behind, tutorial', () => behind('tutorial', setting, people, messages)),
      holdfast: await said('behind', () => behind('holdfast', setting, people, messages)),
    },
  };
}

async function inOrder<T, U>(all: readonly T[], work: (one: T) => Promise<U>): Promise<U[]> {
  const done: U[] = [];
  for (const one of all) done.push(await work(one));
  return done;
}

async function said<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  console.log(`${what}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  return result;
}

function dataFile(): string {
  return `${ROOT}/docs/capacity.json`;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
