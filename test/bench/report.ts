/** The page of results, made from the results alone: the same data give the same page. */
import { type FairnessRun, fairnessSection } from './fairness/section.ts';
import { FIGURES, type Figure, ratioOf, type Verdict, verdictOn } from './figures.ts';
import type { Machine } from './machine.ts';
import type { Round } from './round.ts';
import type { Setting } from './stand/database.ts';
import { spreadOf } from './statistics.ts';

/** All rounds of one setting, as they were measured together. */
export interface Run {
  date: string;
  machine: Machine;
  database: string;
  rounds: Round[];
}

export type Results = Partial<Record<Setting, Run>> & { fairness?: FairnessRun };

export function reportOf(results: Results): string {
  const sections = SETTINGS.flatMap((setting) =>
    results[setting] ? [sectionOf(setting, results[setting])] : [],
  );
  const fairness = results.fairness ? [fairnessSection(results.fairness)] : [];
  return `${[HEAD, ...sections, ...fairness, METHOD].join('\n\n')}\n`;
}

export const SETTINGS: readonly Setting[] = ['sqlite', 'mongo1', 'mongo2'];

const TITLES: Record<Setting, string> = {
  sqlite: 'SQLite, one process',
  mongo1: 'MongoDB, one process',
  mongo2: 'MongoDB, two processes, a hundred members on each',
};

function sectionOf(setting: Setting, run: Run): string {
  const { date, machine, database, rounds } = run;
  const load = rounds.flatMap(({ tutorial, holdfast }) =>
    [tutorial, holdfast].map((m) => m.saturation.cores.load),
  );
  return [
    `## ${TITLES[setting]}`,
    tableOf(rounds),
    `${rounds.length} rounds, ${date.slice(0, 10)}. ${machine.processor}, ${machine.cores} cores, ${machine.system}; Node ${machine.node}, socket.io ${machine.socketIo}. Database: ${database}. At saturation the load's own process used ${spreadOf(load).median.toFixed(2)} of a core (at most ${spreadOf(load).most.toFixed(2)}).`,
  ].join('\n\n');
}

export function tableOf(rounds: readonly Round[]): string {
  return [
    '| figure, one room of 200 | must | aim | Holdfast : tutorial | least – most | tutorial | Holdfast | |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...Object.values(FIGURES).map((figure) => rowOf(figure, rounds)),
  ].join('\n');
}

function rowOf(figure: Figure, rounds: readonly Round[]): string {
  const bound = (ratio: number) => `${figure.better === 'more' ? '≥' : '≤'} ${ratio} ×`;
  const { median, least, most } = spreadOf(rounds.map((round) => ratioOf(figure, round)));
  const typical = (contender: keyof Round) => {
    const value = spreadOf(rounds.map((round) => figure.of(round[contender]))).median;
    return `${short(value)} ${figure.unit}`.trim();
  };
  return `| ${[
    figure.title,
    bound(figure.must),
    bound(figure.aim),
    `**${short(median)} ×**`,
    `${short(least)} – ${short(most)}`,
    typical('tutorial'),
    typical('holdfast'),
    VERDICTS[verdictOn(figure, median)],
  ].join(' | ')} |`;
}

const VERDICTS: Record<Verdict, string> = { aim: 'aim reached', must: 'must reached', missed: '**missed**' };

/** Three digits that count, which is more than such figures can promise. */
function short(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

const HEAD = `# How fast

Holdfast beside the server of [Socket.IO's own tutorial](https://socket.io/docs/v4/tutorial/introduction), written out in \`test/bench/baseline\`: what somebody who needs a chat would otherwise begin with. Every figure is a ratio of the two within one round, tutorial first, then Holdfast, and the next round; the median of all rounds counts. This page is written by \`npm run bench\`; the data of every round are beside it in \`benchmark.json\`.`;

const METHOD = `## How it is measured

- **The tutorial** does one insert for each message, then broadcasts it, then acknowledges it, with connection state recovery on. On SQLite: \`node:sqlite\` in a thread instead of the package \`sqlite3\`, with SQLite's defaults (\`journal_mode=delete\`, \`synchronous=full\`). On MongoDB: \`insertOne\` with the driver's default concern (majority), an ObjectId as the serverOffset, which costs no further question, and \`@socket.io/mongo-adapter\` on a collection that expires, the cheaper of its README's two ways here. It knows no users, no sign-in and no rooms; Holdfast checks all of these.
- **The load** is 200 websocket connections from a process of its own, by a client that does nothing but count (\`test/bench/load\`), the same for both; it offers compression, as browsers do. Everyone says a message of 40 characters, waits for the acknowledgement, and says the next one.
- **CPU** is what the system has booked on the processes, threads and kernel included; on a shared machine it is steadier than anything per second.
- **p99** is over all 200 hearings of each message, said by members at random; one process says and hears, so there is one clock. It is taken before the saturation, on a fresh server.
- **Memory** is what 800 idle connections add to what a server holds in V8's heap and outside of it, on top of 200 that were there before, after a full collection of garbage that a hook makes both do. (Resident memory would be the mood of two allocators.)
- **Bytes to resume** are all that the server sends on the new connection, handshake and headers included, seen by a TCP proxy; \`socket.io-client\` by websocket on both sides. The tutorial's recovery succeeds: the client is back within seconds.
- **Database operations** are counted in servers of their own, since counting costs time. On MongoDB: requests on the wire, of the adapter and of change streams too. On SQLite, which is a library: transactions, that is, what the disk is asked for; single statements are in the data.

Again: \`npm run bench\`, or parts of it by \`--only sqlite|mongo1|mongo2|fairness\`, \`--rounds 9\`; \`--quick\` looks and writes nothing; \`--profile\` shows where Holdfast's time goes. \`BENCH_MONGOD\` names a \`mongod\` or a \`secantusd-rs\` to measure on; otherwise it is the database of the tests.`;
