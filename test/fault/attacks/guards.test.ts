/** A server whose guard is broken is hurt by the attack that the guard is for: the verdict notices. */
// @module-tag slow
import { expect, test } from 'vitest';
import { GUARDS } from './guards.ts';
import { problemsIn } from './hold.ts';
import { besiege } from './siege.ts';

const ATTACK_MS = 1_000;
/** On a machine that is busy with something else the control is slow as well, and an attack may prove nothing. */
const ATTEMPTS = 3;

test.each(Object.entries(GUARDS))(
  'without its guard (%s) the server is hurt',
  {
    timeout: 120_000,
  },
  async (name, { attack }) => {
    const preload = new URL('./breakGuard.ts', import.meta.url).href;
    await using siege = await besiege(
      { NODE_OPTIONS: `--import=${preload}`, BREAK_GUARD: name },
      { quietWindows: 1 },
    );
    let hurt: string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS && hurt.length === 0; attempt++)
      hurt = problemsIn(await siege.attack(attack, ATTACK_MS));
    expect(hurt).not.toEqual([]);
  },
);
