/**
 * `npm run capacity`: measures how much one process on one core holds, and writes docs/CAPACITY.md and docs/capacity.json after
 * each part. `--store sqlite|mongodb`, `--only "one room of 2,000"` (also a part of a name, and several times): measures that
 * again and keeps the other figures. `--quick`: a short run that writes nothing. Linux with two cores or more.
 *
 * Each part is a process of its own, which is ended when it takes too long. A part that fails is said to be not measured; the
 * others go on, and the exit code is 1.
 */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../../support/tmp.ts';
import { ROOT, run } from '../../support/tools.ts';
import { measuredCode, thisMachine } from '../machine.ts';
import { describeDatabase } from '../stand/database.ts';
import { busyCores } from '../stand/usage.ts';
import { PART_NAMES, PARTS, type PartName, SERVER_CORE, SETTING_OF, type StoreName } from './parts.ts';
import { type Capacities, type Circumstances, type Measured, type Quietness, reportOf } from './report.ts';

const { values } = parseArgs({
  options: {
    store: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    /** The part that this process measures; it writes the result into the file `result`. */
    part: { type: 'string' },
    result: { type: 'string' },
  },
});
const DATA_FILE = 'docs/capacity.json';
const PAGE_FILE = 'docs/CAPACITY.md';
const PART_WITHIN_MS = 300_000;
const QUIET_FOR_MS = 1_000;
const STORES: readonly StoreName[] = ['sqlite', 'mongodb'];
const stores = STORES.filter((store) => values.store === undefined || values.store.includes(store));
if (stores.length === 0) throw new Error(`--store takes ${STORES.join(' or ')}`);
const parts = PART_NAMES.filter(
  (name) => values.only === undefined || values.only.some((only) => name.includes(only)),
);
if (parts.length === 0) throw new Error(`--only takes a part of one of these: ${PART_NAMES.join('; ')}`);
const cores = availableParallelism();
if (process.platform !== 'linux' || cores < 2)
  throw new Error('this needs Linux with two cores or more: the server gets one for itself');

if (values.part !== undefined) await measureHere(values.part as PartName, stores[0]!, values.result!);
else await measureAll();

/** The process of one part. */
async function measureHere(part: PartName, store: StoreName, file: string): Promise<void> {
  execFileSync('taskset', ['-acp', `${SERVER_CORE + 1}-${cores - 1}`, `${process.pid}`]);
  await writeFile(file, JSON.stringify(await PARTS[part](store, values.quick)));
  process.exit(); // connections that are still open must not keep it
}

async function measureAll(): Promise<void> {
  const found: Capacities = values.quick ? {} : await earlier();
  let failures = 0;
  for (const store of stores) {
    for (const part of parts) {
      const began = performance.now();
      const before = await quietness();
      const code = measuredCode([DATA_FILE, PAGE_FILE]);
      const outcome = await inProcess(part, store);
      const after = await quietness();
      const seconds = (performance.now() - began) / 1_000;
      found[store] ??= { measured: {} };
      const database = await describeDatabase(SETTING_OF[store]).catch(() => 'none could be started');
      const on: Circumstances = { machine: thisMachine(), database, code };
      Object.assign(found[store].measured, {
        [part]: { date: new Date().toISOString(), seconds, before, after, on, ...outcome },
      });
      if ('failed' in outcome) failures++;
      console.log(
        `${store}, ${part}: ${seconds.toFixed(0)} s${'failed' in outcome ? `, not measured: ${outcome.failed}` : ''}`,
      );
      if (values.quick) continue;
      await writeFile(join(ROOT, DATA_FILE), `${JSON.stringify(found, rounded, 2)}\n`);
      await writeFile(join(ROOT, PAGE_FILE), reportOf(JSON.parse(JSON.stringify(found, rounded))));
    }
  }
  console.log(`\n${reportOf(found)}`);
  if (failures > 0) console.log(`${failures} of ${stores.length * parts.length} parts were not measured.`);
  process.exitCode = failures > 0 ? 1 : 0;
}

/** Its files are removed also where it was ended. */
async function inProcess(
  part: PartName,
  store: StoreName,
): Promise<Pick<Measured, 'result'> | { failed: string }> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'result.json');
  const args = ['--part', part, '--store', store, '--result', file, ...(values.quick ? ['--quick'] : [])];
  const { code, output } = await run(process.execPath, [import.meta.filename, ...args], {
    env: { TMPDIR: folder.path },
    withinMs: PART_WITHIN_MS,
  });
  const result = await readFile(file, 'utf8').catch(() => undefined);
  if (code === 0 && result !== undefined) return { result: JSON.parse(result) };
  console.error(output);
  return { failed: reasonIn(output) ?? `no result within ${PART_WITHIN_MS / 1_000} s` };
}

/** The first line that says what went wrong. */
function reasonIn(output: string): string | undefined {
  return /^\w*(?:Error|Unavailable)\b.*$/m.exec(output)?.[0];
}

/** What the machine does while nothing is measured. */
async function quietness(): Promise<Quietness> {
  return { load: loadavg()[0]!, cores: await busyCores(() => sleep(QUIET_FOR_MS)) };
}

/** What an earlier run has measured. */
async function earlier(): Promise<Capacities> {
  return JSON.parse(await readFile(join(ROOT, DATA_FILE), 'utf8').catch(() => '{}'));
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
