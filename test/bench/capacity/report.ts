/** Renders docs/CAPACITY.md from the results alone: the same data give the same page. */
import type { Deliveries } from '../load/crowd.ts';
import type { Machine } from '../machine.ts';
import { type Behind, type Found, PART_NAMES, type PartName, type StoreName, type Storm } from './parts.ts';

/** What else the machine did. */
export interface Quietness {
  /** Load average of the last minute. */
  load: number;
  /** Cores in use during one second in which nothing was measured. */
  cores: number;
}

export interface Measured<Name extends PartName = PartName> {
  date: string;
  seconds: number;
  before: Quietness;
  after: Quietness;
  result?: Found[Name];
  /** Why there is no result. */
  failed?: string;
}

/** Of one store. `machine` and `database`: of the latest part. */
export interface Capacity {
  machine?: Machine;
  database?: string;
  measured: { [Name in PartName]?: Measured<Name> };
}

export type Capacities = Partial<Record<StoreName, Capacity>>;

const TITLES: Record<StoreName, string> = { sqlite: 'SQLite', mongodb: 'MongoDB' };
const STORES = Object.keys(TITLES) as StoreName[];

export function reportOf(found: Capacities): string {
  const sections = STORES.flatMap((store) => (found[store] ? [sectionOf(TITLES[store], found[store])] : []));
  return `${[HEAD, ...sections, whenOf(found), METHOD].join('\n\n')}\n`;
}

function sectionOf(title: string, { machine, database, measured }: Capacity): string {
  return [
    `## ${title}, one process on one core`,
    connectedTable(measured),
    spokenTable(measured),
    storedTable(measured),
    stormTable(measured),
    behindTable(measured),
    quietnessTable(measured),
    machine &&
      `${machine.processor}, ${machine.cores} cores, ${machine.system}; Node ${machine.node}, socket.io ${machine.socketIo}. Database: ${database}.`,
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

type Parts = Capacity['measured'];
type Outcome<Result> = { result?: Result; failed?: string };

function connectedTable({ 'people connected': part }: Parts): string {
  const found = part?.result ?? [];
  const [first, last] = [found[0], found.at(-1)];
  const each =
    first && last && last.people > first.people
      ? `\n\nEach connection beyond the first ${count(first.people)} takes ${(
          (last.bytes - first.bytes) / (last.people - first.people) / 1024
        ).toFixed(1)} KiB of memory.`
      : '';
  return (
    table(
      ['people connected, idle', 'all in after', 'memory of the server', 'of its core'],
      part?.result
        ? found.map(({ people, cameInMs, bytes, cores }) => [
            count(people),
            seconds(cameInMs),
            megabytes(bytes),
            `${(100 * cores).toFixed(1)} %`,
          ])
        : [notMeasured('people connected', part, 4)],
    ) + each
  );
}

const SPOKEN = ['one room of 200', 'one room of 2,000', '1,000 rooms of 10'] as const;

function spokenTable(measured: Parts): string {
  return table(
    [
      'everybody writes',
      'acknowledged a second, at most',
      'deliveries a second',
      'live, fetched, left',
      'cut off',
      'at half of it: p50',
      'p99',
      'live, fetched, left',
      'cores: server, database, load',
    ],
    SPOKEN.map((name) => {
      const result = measured[name]?.result;
      if (!result) return notMeasured(name, measured[name], 9);
      const { mostPerSecond, deliveredPerSecond, deliveries, half, cores } = result;
      return [
        name,
        count(mostPerSecond),
        count(deliveredPerSecond),
        shares(deliveries),
        count(deliveries.cutOff + half.deliveries.cutOff),
        milliseconds(half.p50),
        milliseconds(half.p99),
        shares(half.deliveries),
        [cores.servers, cores.database, cores.load].map((used) => used.toFixed(2)).join(', '),
      ];
    }),
  );
}

function storedTable({ 'a million entries': part }: Parts): string {
  const found = part?.result;
  const ofMillion = (bytes: number) => megabytes((bytes * 1_000_000) / found!.entries);
  return table(
    [
      'entries in the log',
      'disk',
      'disk for a million',
      'memory of the server',
      'of it for a million',
      'memory of the database',
      'from the start to the first message',
      'with an empty log',
    ],
    [
      found
        ? [
            count(found.entries),
            found.diskBytes === undefined ? 'not known' : megabytes(found.diskBytes),
            found.diskBytes === undefined
              ? 'not known'
              : ofMillion(found.diskBytes - (found.emptyDiskBytes ?? 0)),
            megabytes(found.bytes),
            ofMillion(Math.max(0, found.bytes - found.empty.bytes)),
            found.databaseBytes === undefined ? 'in the server' : megabytes(found.databaseBytes),
            seconds(found.startMs),
            seconds(found.empty.startMs),
          ]
        : notMeasured('a million entries', part, 8),
    ],
  );
}

function stormTable({ 'a storm: the tutorial': tutorial, 'a storm: Holdfast': holdfast }: Parts): string {
  const people = holdfast?.result?.people ?? tutorial?.result?.people;
  const row = (name: string, part: Outcome<Storm> | undefined) =>
    part?.result
      ? [name, seconds(part.result.allInMs), `${part.result.cpuMs.toFixed(2)} ms`]
      : notMeasured(name, part, 3);
  return table(
    [
      `${people === undefined ? 'people' : `${count(people)} people`} come at once`,
      'all in after',
      'CPU of the server for each',
    ],
    [row(TUTORIAL, tutorial), row(HOLDFAST, holdfast)],
  );
}

function behindTable({ 'behind: the tutorial': tutorial, 'behind: Holdfast': holdfast }: Parts): string {
  const found = holdfast?.result ?? tutorial?.result;
  const row = (name: string, part: Outcome<Behind> | undefined) =>
    part?.result
      ? [name, newestAfter(part.result), seconds(part.result.cpuMs), count(part.result.sentToEach)]
      : notMeasured(name, part, 4);
  return table(
    [
      found
        ? `${count(found.people)} people come back, ${count(found.messages)} messages behind`
        : 'people come back, messages behind',
      'all have the newest after',
      'CPU of the server in all',
      'messages sent to each',
    ],
    [row(TUTORIAL, tutorial), row(HOLDFAST, holdfast)],
  );
}

function newestAfter({ newestMs, without, waitedMs }: Behind): string {
  return without === 0 ? seconds(newestMs) : `${count(without)} had not after ${seconds(waitedMs)}`;
}

const TUTORIAL = 'the tutorial’s server';
const HOLDFAST = 'Holdfast';

function quietnessTable(measured: Parts): string {
  const told = ({ load, cores }: Quietness) => `${load.toFixed(2)}; ${cores.toFixed(2)}`;
  return table(
    ['measured', 'when', 'took', 'load average; busy cores before', 'and after'],
    PART_NAMES.flatMap((name) => {
      const part = measured[name];
      return part
        ? [[name, minute(part.date), `${count(part.seconds)} s`, told(part.before), told(part.after)]]
        : [];
    }),
  );
}

/** A row of a table: what failed, and why. */
function notMeasured(name: string, part: { failed?: string } | undefined, columns: number): string[] {
  const why = part?.failed?.replaceAll('|', '/').slice(0, REASON_CHARACTERS);
  const cell = why === undefined ? '**not measured**' : `**not measured**: ${why}`;
  return [name, cell, ...Array.from({ length: columns - 2 }, () => '–')];
}

const REASON_CHARACTERS = 200;

function whenOf({ sqlite, mongodb }: Capacities): string {
  return [WHEN, stayOf(sqlite), moveOf(sqlite, mongodb), addOf(sqlite, mongodb)].join('\n');
}

const WHEN = '## When to change\n';

/** What a store does at most, against people who write. */
function stayOf(sqlite: Capacity | undefined): string {
  const large = sqlite?.measured['one room of 2,000']?.result;
  const small = sqlite?.measured['1,000 rooms of 10']?.result;
  const wrote = (people: number, most: number) =>
    `${count(people)} people who write once a minute are ${share(people / 60 / most)} of it`;
  const figures = [
    large &&
      `in one room of 2,000 it acknowledges ${count(large.mostPerSecond)} messages a second, and ${wrote(2_000, large.mostPerSecond)}`,
    small && `in 1,000 rooms of 10, ${count(small.mostPerSecond)}, and ${wrote(10_000, small.mostPerSecond)}`,
  ].filter((text) => text !== undefined);
  return `- **Stay on SQLite** as long as one machine is enough. ${
    figures.length > 0 ? `With one process on one core: ${figures.join('; ')}. ` : ''
  }What grows first is the number of deliveries (messages × people connected in the room), then the memory of the connections. Compare \`holdfast_connections\` and the rate of \`holdfast_frames_total{event="append"}\` of your own server with the tables above.`;
}

function moveOf(sqlite: Capacity | undefined, mongodb: Capacity | undefined): string {
  const ratios = SPOKEN.flatMap((name) => {
    const [one, other] = [sqlite?.measured[name]?.result, mongodb?.measured[name]?.result];
    return one && other ? [`${(other.mostPerSecond / one.mostPerSecond).toFixed(2)} (${name})`] : [];
  });
  const speed =
    ratios.length > 0
      ? ` It is not for speed: one process on MongoDB, with the database on the same machine, acknowledges so many times the messages of SQLite: ${ratios.join(', ')}.`
      : '';
  return `- **Go to MongoDB** when one machine must not be the end of the service (a failed machine, an update of its system), or when the server's core is busy for more than half of the time at the busiest hour: only with MongoDB there can be more than one process.${speed} \`npm run migrate\` takes everything along ([MONGODB.md](MONGODB.md)).`;
}

function addOf(sqlite: Capacity | undefined, mongodb: Capacity | undefined): string {
  const most = SPOKEN.flatMap((name) => {
    const found = (mongodb ?? sqlite)?.measured[name]?.result;
    return found ? [found.deliveredPerSecond] : [];
  });
  const half =
    most.length > 0
      ? ` By the figures above that is at some ${count(Math.min(...most) / 2)} to ${count(Math.max(...most) / 2)} deliveries a second.`
      : '';
  return `- **Add a process** (\`WORKERS=n\`, or another machine behind a proxy) when a process uses more than half of its core at the busiest hour: beyond that, latency grows fast, and there is nothing left for a storm.${half} Or for the memory of more connections. Each process reads all entries, so the work of the database grows with the number of processes: two processes give about twice the connections and deliveries, and less than twice the messages a second in one room ([BENCHMARK.md](BENCHMARK.md), "Fairness").`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function shares({ live, fetched, left }: Deliveries): string {
  const all = live + fetched + left;
  return all === 0 ? 'none' : [live, fetched, left].map((some) => share(some / all)).join(', ');
}

/** Never rounded to all or nothing. */
function share(part: number): string {
  const percent = 100 * part;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent < 0.1) return '< 0.1 %';
  return percent > 99.9 && percent < 100 ? '> 99.9 %' : `${percent.toFixed(1)} %`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(2)} s` : `${count(ms / 1000)} s`;
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${count(ms)} ms`;
}

function megabytes(bytes: number): string {
  return `${count(bytes / 1024 / 1024)} MiB`;
}

function minute(date: string): string {
  return date.slice(0, 16).replace('T', ' ');
}

const HEAD = `# Capacity

How much one server process holds on one core. \`npm run capacity\` measures it and writes this page, and the data into \`capacity.json\` beside it. A comparison by ratios with the tutorial's server, over several rounds, is in [BENCHMARK.md](BENCHMARK.md).`;

const METHOD = `## How it is measured

- The server runs alone on one core (\`taskset\`); the load, and a database that is a process of its own, share the others. Where the column of cores shows that the load or the database was busy with a whole core, it was the limit, and not the server.
- **Connected**: WebSockets of people who are all in one room and do nothing: the memory is resident memory, the CPU that of heartbeats.
- **Everybody writes**: each sends a message of 40 characters, waits until it is acknowledged as durable, and sends the next one; what the server puts off is sent again when it said. The latencies are from send to receipt, over all deliveries, live and fetched, while random people send at half of that rate. Rooms of 10: as many rooms as people, each person is in ten of them.
- **Live, fetched, left**: a server that cannot send to a client fast enough says only how long the log is (\`heads\`), or ends the connection. The clients of the load then do as the app does: of up to 200 missing messages they request all, of more the newest 50. The rest is left in the log: the app shows a gap, and fetches it when somebody scrolls there. Every message counts exactly once for each of its readers, and the measurement fails if one is missing or comes twice. **Cut off**: connections that the server ended because they did not keep up; the clients come back and send again what was not acknowledged, under the same keys.
- **Entries**: messages of 40 characters by 200 people in one room. Disk: the files of the database, with its write-ahead log or journal. Memory for a million: more than the same server has after a start with an empty log.
- **Come at once**: in groups of 50, each group as soon as the one before is in; to an empty log. The tutorial's server knows no people and no rooms.
- **Messages behind**: the tutorial sends each of them all that was missed. Holdfast sends the newest, and older ones when somebody looks at them. Where not everybody has the newest message after a minute, the CPU and the messages are those of that minute.
- Each person connects from an address of their own (of 127.0.0.0/8), since the server limits what comes from one address.
- One run of each. \`--store sqlite|mongodb\` measures one store, and \`--only "one room of 2,000"\` one part again; the others keep their figures. \`--quick\` is a short run that writes nothing. \`BENCH_MONGOD\` is the path of a \`mongod\` or a \`secantusd-rs\` to measure with; the default is the database of the tests.`;
