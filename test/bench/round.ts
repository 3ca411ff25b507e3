/**
 * One round: measures each of the two servers once, for all figures. Each part has a new server and database (a stand), since
 * garbage collections and counting would change the other measurements.
 */
import { type Latency, latency } from './figures/latency.ts';
import { bytesPerConnection } from './figures/memory.ts';
import { operationsPerMessage } from './figures/operations.ts';
import { type Resume, resume } from './figures/resume.ts';
import { type Saturation, saturation } from './figures/saturation.ts';
import type { Lengths } from './lengths.ts';
import { gather } from './load/crowd.ts';
import { type Operations, openCounted, openDatabase, type Setting } from './stand/database.ts';
import { askHeld } from './stand/held.ts';
import { type Contender, openStand } from './stand/stand.ts';

export interface Measured {
  latency: Latency;
  saturation: Saturation;
  resume: Resume;
  bytesPerConnection: number;
  operations: Operations;
}

export type Round = Record<Contender, Measured>;

/** Part by part, so that compared values are measured within seconds of each other. */
export async function measureRound(setting: Setting, lengths: Lengths): Promise<Round> {
  const busyOnes = await both((contender) => busy(contender, setting, lengths));
  const idleOnes = await both((contender) => idle(contender, setting));
  const backOnes = await both((contender) => back(contender, setting));
  const countedOnes = await both((contender) => counted(contender, setting, lengths));
  const of = (contender: Contender): Measured => ({
    ...busyOnes[contender],
    ...idleOnes[contender],
    ...backOnes[contender],
    ...countedOnes[contender],
  });
  return { tutorial: of('tutorial'), holdfast: of('holdfast') };
}

export async function both<T>(part: (contender: Contender) => Promise<T>): Promise<Record<Contender, T>> {
  return { tutorial: await part('tutorial'), holdfast: await part('holdfast') };
}

export async function busy(
  contender: Contender,
  setting: Setting,
  lengths: Pick<Lengths, 'latency' | 'saturation'>,
): Promise<Pick<Measured, 'latency' | 'saturation'>> {
  await using database = await openDatabase(setting);
  await using stand = await openStand(database, { contender, setting, members: ROOM });
  using crowd = await gather(stand);
  return {
    latency: await latency(crowd, lengths.latency),
    saturation: await saturation(stand, crowd, lengths.saturation),
  };
}

async function idle(contender: Contender, setting: Setting): Promise<Pick<Measured, 'bytesPerConnection'>> {
  await using database = await openDatabase(setting);
  await using held = await askHeld();
  await using stand = await openStand(database, { contender, setting, members: IDLE, ...held });
  return { bytesPerConnection: await bytesPerConnection(stand, held) };
}

export async function back(contender: Contender, setting: Setting): Promise<Pick<Measured, 'resume'>> {
  await using database = await openDatabase(setting);
  await using stand = await openStand(database, { contender, setting, members: ROOM });
  return { resume: await resume(stand) };
}

async function counted(
  contender: Contender,
  setting: Setting,
  { operationsMs }: Lengths,
): Promise<Pick<Measured, 'operations'>> {
  await using database = await openCounted(setting);
  await using stand = await openStand(database, { contender, setting, members: ROOM });
  return { operations: await operationsPerMessage(stand, database, operationsMs) };
}

export const ROOM = 200;
const IDLE = 1_000;
