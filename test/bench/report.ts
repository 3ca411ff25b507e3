/** Renders docs/BENCHMARK.md from the results alone: the same data give the same page. */
import { type FairnessRun, fairnessSection } from './fairness/section.ts';
import { FIGURES, type Figure, ratioOf, type Verdict, verdictOn } from './figures.ts';
import type { Machine } from './machine.ts';
import type { Round } from './round.ts';
import type { Setting } from './stand/database.ts';
import { spreadOf } from './statistics.ts';

/** All rounds of one setting. */
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

/** Three significant digits, which is more than the accuracy of such figures. */
function short(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

const HEAD = `# Benchmark

Holdfast compared with the server of [Socket.IO's own tutorial](https://socket.io/docs/v4/tutorial/introduction), implemented in \`test/bench/baseline\`: the usual starting point for a chat. Every figure is the ratio of the two within one round (tutorial first, then Holdfast); the result is the median of all rounds. \`npm run bench\` writes this page, and the data of every round into \`benchmark.json\` beside it.`;

const METHOD = `## How it is measured

- **The tutorial** inserts each message, then broadcasts it, then acknowledges it, with connection state recovery on. On SQLite: \`node:sqlite\` in a thread instead of the package \`sqlite3\`, with SQLite's defaults (\`journal_mode=delete\`, \`synchronous=full\`). On MongoDB: \`insertOne\` with the driver's default concern (majority), an ObjectId as the serverOffset, which needs no extra query, and \`@socket.io/mongo-adapter\` on a collection with a TTL index, the cheaper of the two ways in its README here. It has no users, no sign-in and no rooms; Holdfast checks all of these.
- **The load** is 200 WebSocket connections from a separate process. Its client only counts (\`test/bench/load\`), is the same for both servers, and offers compression, as browsers do. Each connection sends a message of 40 characters, waits for the acknowledgement, and sends the next one.
- **CPU** is the CPU time of the processes, threads and kernel included; on a shared machine it varies less than rates per second.
- **p99** is over all 200 deliveries of each message; random members send. One process sends and receives, so there is one clock. It is measured before the saturation, on a fresh server.
- **Memory** is the growth of V8's heap and external memory by 800 idle connections, after 200 that were open before. A hook makes both servers run a full garbage collection first. (Resident memory would mainly show the behaviour of two allocators.)
- **Bytes to resume** are all bytes that the server sends on the new connection, handshake and headers included, counted by a TCP proxy; the client is \`socket.io-client\` over WebSocket for both. The tutorial's recovery succeeds: the client is back within seconds.
- **Database operations** are counted in separate runs, since counting costs time. On MongoDB: requests on the wire, including those of the adapter and of change streams. On SQLite, which is a library: transactions, since each is a write to the disk; single statements are in the data.

To repeat: \`npm run bench\`, or parts of it with \`--only sqlite|mongo1|mongo2|fairness\` and \`--rounds 9\`; \`--quick\` is a short run that writes nothing; \`--profile\` shows where Holdfast spends its time. \`BENCH_MONGOD\` is the path of a \`mongod\` or a \`secantusd-rs\` to measure with; the default is the database of the tests.`;
