/** The process of the attackers. It runs one attack after another and ends what an attack has opened. */

import { runAttack } from './attackContext.ts';
import { ATTACKS, type AttackName } from './attacks.ts';

export interface AskedOfAttacker {
  attack: AttackName;
  url: string;
  ms: number;
  rate: number;
}
export type ToldByAttacker = { say: 'prepared' } | { say: 'over'; counts: Record<string, number> };

process.on('disconnect', () => process.exit());
// An attacker does not mind: a connection that the server ends is what is hoped for.
process.on('uncaughtException', () => {});

process.on('message', (asked: AskedOfAttacker | 'go') => {
  if (asked === 'go') return;
  const { attack, ...options } = asked;
  const onBegin = () =>
    new Promise<void>((resolve) => {
      process.on('message', function hear(told: unknown) {
        if (told !== 'go') return;
        process.off('message', hear);
        resolve();
      });
      process.send!({ say: 'prepared' } satisfies ToldByAttacker);
    });
  void runAttack(ATTACKS[attack], { ...options, onBegin }).then((counts) =>
    process.send!({ say: 'over', counts } satisfies ToldByAttacker),
  );
});
