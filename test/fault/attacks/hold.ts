/** What a server has to hold: the verdict over an attack, with what its counts may be. */
import { REJOINS_PER_DAY, ROOMS_CREATED_PER_DAY } from '../../../shared/limits.ts';
import type { AttackName } from './attacks.ts';
import { TOO_LONG_A_REFUSAL } from './handshakes.ts';
import type { Siege } from './siege.ts';
import { ENTRIES_OF_MEMBERSHIP, ROOMS_CREATED } from './storeCosts.ts';
import { type Figures, hurtIn, lineOf } from './verdict.ts';

const ATTEMPTS = 3;
const MORE_MS = 2_000;

/** How much of something an attack may get. */
const ALLOWED: Partial<Record<AttackName, Record<string, number>>> = {
  '300 public rooms': { [ROOMS_CREATED]: 3 * ROOMS_CREATED_PER_DAY },
  // each of the five accounts: as many joins, and the leaves before and after them
  'joins and leaves': { [ENTRIES_OF_MEMBERSHIP]: 5 * (2 * REJOINS_PER_DAY + 2) },
};

/**
 * Runs the attack. Resolves with what it hurt, in words; empty if nothing.
 *
 * Where innocents only waited, the attack is run again, twice at most, with other accounts and addresses and for longer: what
 * hurts does so each time, while another process that needs the machine for a moment does not. A server that has died, grown
 * or refused an innocent gets no second chance.
 */
export async function hurtBy(siege: Siege, name: AttackName): Promise<string[]> {
  const figures = await siege.attack(name);
  let hurt = problemsIn(figures);
  for (let attempt = 1; attempt < ATTEMPTS && hurt.length > 0 && isLatencyAlone(figures); attempt++) {
    const again = await siege.attack(name, MORE_MS);
    hurt = problemsIn(again);
  }
  return hurt;
}

function isLatencyAlone(figures: Figures): boolean {
  return problemsIn({ ...figures, p99Ms: 0 }).length === 0;
}

function problemsIn(figures: Figures): string[] {
  const allowed = Object.entries({ [TOO_LONG_A_REFUSAL]: 0, ...ALLOWED[figures.name as AttackName] });
  const exceeded = allowed.flatMap(([what, most]) => {
    const times = figures.counts[what] ?? 0;
    return times > most ? [`${times} ${what}, above ${most}`] : [];
  });
  const hurt = [...hurtIn(figures), ...exceeded];
  return hurt.length === 0 ? [] : [...hurt, lineOf(figures)];
}
