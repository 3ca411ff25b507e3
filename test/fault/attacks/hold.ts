/** What a server has to hold: the verdict over an attack, with what its counts may be. */
import { REJOINS_PER_DAY, ROOMS_CREATED_PER_DAY } from '../../../shared/limits.ts';
import { testLength } from '../../support/runs.ts';
import type { AttackName } from './attacks.ts';
import { TOO_LONG_A_REFUSAL } from './handshakes.ts';
import type { Siege } from './siege.ts';
import { ENTRIES_OF_MEMBERSHIP, ROOMS_CREATED } from './storeCosts.ts';
import { type Figures, hurtIn, lineOf } from './verdict.ts';

const ATTEMPTS = 3;
const ATTACK_MS = testLength() === 'soak' ? 20_000 : 1_000;
const MORE_MS = 2 * ATTACK_MS;

/** How much of something an attack may get. */
const ALLOWED: Partial<Record<AttackName, Record<string, number>>> = {
  '300 public rooms': { [ROOMS_CREATED]: ROOMS_CREATED_PER_DAY },
  // each of the two accounts: as many joins, and the leaves before and after them
  'joins and leaves': { [ENTRIES_OF_MEMBERSHIP]: 2 * (2 * REJOINS_PER_DAY + 2) },
};

/**
 * Runs the attack. Resolves with what it hurt, in words; empty if nothing.
 *
 * Where innocents only waited, or the control was slow, too, the attack is run again, twice at most, with other accounts and
 * addresses and for longer: what hurts does so each time, while another process that needs the machine for a moment does not.
 * A server that has died or grown gets no second chance.
 */
export async function hurtBy(siege: Siege, name: AttackName): Promise<string[]> {
  let figures = await siege.attack(name, ATTACK_MS);
  for (let attempt = 1; attempt < ATTEMPTS && mayBeTheMachine(figures); attempt++)
    figures = await siege.attack(name, MORE_MS);
  return problemsIn(figures);
}

function mayBeTheMachine(figures: Figures): boolean {
  const { controlMs, troubles } = figures;
  const without = { ...figures, p99Ms: 0, troubles: controlMs > SLOW_CONTROL_MS ? [] : troubles };
  return problemsIn(figures).length > 0 && problemsIn(without).length === 0;
}

/** A server that nobody attacks is so slow only where the machine is. */
const SLOW_CONTROL_MS = 1_000;

export function problemsIn(figures: Figures): string[] {
  const allowed = Object.entries({ [TOO_LONG_A_REFUSAL]: 0, ...ALLOWED[figures.name as AttackName] });
  const exceeded = allowed.flatMap(([what, most]) => {
    const times = figures.counts[what] ?? 0;
    return times > most ? [`${times} ${what}, above ${most}`] : [];
  });
  const hurt = [...hurtIn(figures), ...exceeded];
  return hurt.length === 0 ? [] : [...hurt, lineOf(figures)];
}
