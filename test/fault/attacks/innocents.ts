/**
 * The process of the innocents: three on the server under attack and three on the control, which nobody attacks. Both are
 * measured in one process at the same time, so that a busy machine shows in both.
 */
import { type Innocent, type Measured, startInnocent } from './innocent.ts';
import { signUpFrom } from './rawClient.ts';

export type AskedOfInnocents =
  | { say: 'start'; attacked: string; control: string }
  | { say: 'begin' | 'end' | 'list' };
export type ToldByInnocents =
  | { say: 'started' | 'begun' }
  | { say: 'measured'; attacked: Measured; control: Measured }
  | { say: 'acknowledged'; texts: [key: string, serverOffset: number][] };

const COUNT = 3;
let attacked: Innocent[] = [];
let control: Innocent[] = [];

process.on('disconnect', () => process.exit());
process.on('message', (asked: AskedOfInnocents) => void handle(asked).then((told) => process.send!(told)));

async function handle(asked: AskedOfInnocents): Promise<ToldByInnocents> {
  switch (asked.say) {
    case 'start':
      attacked = await crowd(asked.attacked);
      control = await crowd(asked.control);
      return { say: 'started' };
    case 'begin':
      for (const innocent of [...attacked, ...control]) innocent.begin();
      return { say: 'begun' };
    case 'end':
      return { say: 'measured', attacked: await together(attacked), control: await together(control) };
    case 'list':
      return { say: 'acknowledged', texts: attacked.flatMap((innocent) => [...innocent.acknowledged]) };
  }
}

function crowd(url: string): Promise<Innocent[]> {
  return Promise.all(
    Array.from({ length: COUNT }, async (_, nth) => {
      const from = process.platform === 'linux' ? `127.0.0.${nth + 2}` : '127.0.0.1';
      const person = await signUpFrom(url, `Innocent ${nth + 1}`, from);
      return startInnocent(url, person, { from, byHttp: nth === COUNT - 1, phase: 7 + 13 * nth });
    }),
  );
}

async function together(innocents: readonly Innocent[]): Promise<Measured> {
  const measured = await Promise.all(innocents.map((innocent) => innocent.end()));
  return {
    latenciesMs: measured.flatMap(({ latenciesMs }) => latenciesMs),
    troubles: measured.flatMap(({ troubles }) => troubles),
  };
}
