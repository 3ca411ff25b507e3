/** `node test/bench/storm.ts [rounds]`: the CPU of both servers on SQLite for each of 3,000 clients that come back at once. */
import { cpuOfStorm } from './figures/storm.ts';
import { both } from './round.ts';
import { openDatabase } from './stand/database.ts';
import { openStand } from './stand/stand.ts';

const CLIENTS = 3_500;

for (let round = Number(process.argv[2] ?? 3); round > 0; round--) {
  const { tutorial, holdfast } = await both(async (contender) => {
    await using database = await openDatabase('sqlite');
    await using stand = await openStand(database, { contender, setting: 'sqlite', members: CLIENTS });
    return (await cpuOfStorm(stand)).cpuMs;
  });
  console.log(
    `CPU of each client: tutorial ${tutorial.toFixed(3)} ms, holdfast ${holdfast.toFixed(3)} ms, ${(holdfast / tutorial).toFixed(2)} times`,
  );
}
