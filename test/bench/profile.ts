/** A CPU profile of Holdfast's server at saturation, by function. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../support/tmp.ts';
import { ROOT } from '../support/tools.ts';
import { type Saturation, saturation } from './figures/saturation.ts';
import { gather } from './load/crowd.ts';
import { ROOM } from './round.ts';
import { openDatabase, type Setting } from './stand/database.ts';
import { openStand } from './stand/stand.ts';

/** Prints, for each thread of each server process, the functions with the most self time. */
export async function profile(setting: Setting): Promise<void> {
  await using folder = await temporaryFolder();
  const result = await underLoad(setting, folder.path);
  console.log(
    `${result.acknowledgedPerSecond.toFixed(0)} messages a second, ${result.cpuPerMessage.toFixed(3)} ms of CPU each`,
  );
  for (const name of (await readdir(folder.path)).sort()) {
    const text = await readFile(join(folder.path, name), 'utf8');
    printThread(name, JSON.parse(text) as CpuProfile);
  }
}

async function underLoad(setting: Setting, folder: string): Promise<Saturation> {
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  await using database = await openDatabase(setting);
  await using stand = await openStand(database, {
    contender: 'holdfast',
    setting,
    members: ROOM,
    nodeOptions,
  });
  using crowd = await gather(stand);
  return await saturation(stand, crowd, { warmUpMs: 2_000, forMs: 8_000 });
}

function printThread(name: string, profile: CpuProfile): void {
  const total = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  const rows = [...selfTimes(profile)].sort(([, a], [, b]) => b - a).slice(0, FUNCTIONS_SHOWN);
  console.log(`\n${name}: ${(total / 1e6).toFixed(1)} s`);
  for (const [where, us] of rows) console.log(`${((100 * us) / total).toFixed(1).padStart(6)} %  ${where}`);
}

/** Microseconds by function and place. */
function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const times = new Map<string, number>();
  samples.forEach((id, i) => {
    const place = places.get(id)!;
    times.set(place, (times.get(place) ?? 0) + timeDeltas[i]!);
  });
  return times;
}

function placeOf({ functionName, url, lineNumber }: CallFrame): string {
  const file = url.replace(`file://${ROOT}/`, '').replace('node_modules/', '');
  return file === '' ? functionName : `${functionName || '(anonymous)'}  ${file}:${lineNumber + 1}`;
}

/** V8's format: sample i was taken in node samples[i], timeDeltas[i] microseconds after the previous one. */
interface CpuProfile {
  nodes: { id: number; callFrame: CallFrame }[];
  samples: number[];
  timeDeltas: number[];
}

interface CallFrame {
  functionName: string;
  url: string;
  lineNumber: number;
}

const FUNCTIONS_SHOWN = 30;
