/** Renders docs/CAPACITY.md from the results alone: the same data give the same page. */
import { type Deliveries, PEOPLE_AT_A_TIME } from '../load/crowd.ts';
import type { Machine, MeasuredCode } from '../machine.ts';
import {
  type Behind,
  type Found,
  PART_NAMES,
  type PartName,
  SPOKEN_FOR_MS,
  SPOKEN_WARM_UP,
  type StoreName,
  type Storm,
} from './parts.ts';

/** What else the machine did. */
export interface Quietness {
  /** Load average of the last minute. */
  load: number;
  /** Cores in use during one second in which nothing was measured. */
  cores: number;
}

/** With what a part was measured. */
export interface Circumstances {
  machine: Machine;
  database: string;
  code: MeasuredCode;
}

export interface Measured<Name extends PartName = PartName> {
  date: string;
  seconds: number;
  before: Quietness;
  after: Quietness;
  on: Circumstances;
  result?: Found[Name];
  /** Why there is no result. */
  failed?: string;
}

/** Of one store. */
export interface Capacity {
  measured: { [Name in PartName]?: Measured<Name> };
}

export type Capacities = Partial<Record<StoreName, Capacity>>;

const TITLES: Record<StoreName, string> = { sqlite: 'SQLite', mongodb: 'MongoDB' };
const STORES = Object.keys(TITLES) as StoreName[];

export function reportOf(found: Capacities): string {
  const all = STORES.flatMap((store) => partsOf(found[store]));
  const shared = FACTS.filter((fact) => isCommon(fact, all));
  const sections = STORES.flatMap((store) => (found[store] ? [sectionOf(store, found[store], shared)] : []));
  const head = [HEAD, ...told('All of it was measured with: ', shared, all)];
  return `${[...head, ...sections, whenOf(found), METHOD].join('\n\n')}\n`;
}

/** `said`: what the page has said of all parts. */
function sectionOf(store: StoreName, capacity: Capacity, said: readonly Fact[]): string {
  const { measured } = capacity;
  const parts = partsOf(capacity);
  const left = FACTS.filter((fact) => !said.includes(fact));
  const shared = left.filter((fact) => isCommon(fact, parts));
  const differing = left.filter((fact) => !shared.includes(fact));
  return [
    `## ${TITLES[store]}, one process on one core`,
    connectedTable(measured),
    spokenTable(measured),
    storedTable(measured, store),
    stormTable(measured),
    behindTable(measured),
    quietnessTable(measured, parts.length === 0 ? [] : differing),
    ...told('Measured with: ', shared, parts),
  ].join('\n\n');
}

type Fact = (on: Circumstances) => string;

const FACTS: readonly Fact[] = [
  ({ machine: { processor, cores, system, node, socketIo } }) =>
    `${processor}, ${cores} cores, ${system}; Node ${node}, socket.io ${socketIo}`,
  ({ database }) => `database: ${database}`,
  ({ code: { commit, isChanged } }) =>
    commit === undefined ? 'commit not known' : `commit ${commit}${isChanged ? ' with changes' : ''}`,
];

function partsOf(capacity: Capacity | undefined): Measured[] {
  return Object.values(capacity?.measured ?? {});
}

function isCommon(fact: Fact, parts: readonly Measured[]): boolean {
  return new Set(parts.map(({ on }) => fact(on))).size === 1;
}

/** One sentence, or none. */
function told(start: string, facts: readonly Fact[], [first]: readonly Measured[]): string[] {
  return first && facts.length > 0 ? [`${start}${facts.map((fact) => fact(first.on)).join('; ')}.`] : [];
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
        [cores.servers, cores.database, cores.load].map((used) => used?.toFixed(2) ?? 'not known').join(', '),
      ];
    }),
  );
}

function storedTable({ 'a million entries': part }: Parts, store: StoreName): string {
  const found = part?.result;
  const ofMillion = (bytes: number) => megabytes((bytes * 1_000_000) / found!.entries);
  return table(
    [
      'entries in the log',
      'rooms',
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
            count(found.rooms),
            found.diskBytes === undefined ? 'not known' : megabytes(found.diskBytes),
            found.diskBytes === undefined
              ? 'not known'
              : ofMillion(found.diskBytes - (found.emptyDiskBytes ?? 0)),
            megabytes(found.bytes),
            ofMillion(Math.max(0, found.bytes - found.empty.bytes)),
            found.databaseBytes === undefined
              ? store === 'sqlite'
                ? 'in the server'
                : 'not known'
              : megabytes(found.databaseBytes),
            seconds(found.startMs),
            seconds(found.empty.startMs),
          ]
        : notMeasured('a million entries', part, 9),
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
      `${people === undefined ? 'people' : `${count(people)} people`} come, ${PEOPLE_AT_A_TIME} at a time`,
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
        ? `${count(found.people)} people come back, ${PEOPLE_AT_A_TIME} at a time, ${count(found.messages)} messages behind`
        : `people come back, ${PEOPLE_AT_A_TIME} at a time, messages behind`,
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

/** `facts`: those in which the parts differ. */
function quietnessTable(measured: Parts, facts: readonly Fact[]): string {
  const busy = ({ load, cores }: Quietness) => `${load.toFixed(2)}; ${cores.toFixed(2)}`;
  const withWhat = ({ on }: Measured) => (facts.length > 0 ? [facts.map((fact) => fact(on)).join('; ')] : []);
  return table(
    [
      'measured',
      'when',
      'took',
      'load average; busy cores before',
      'and after',
      ...(facts.length > 0 ? ['with'] : []),
    ],
    PART_NAMES.flatMap((name) => {
      const part = measured[name];
      return part
        ? [
            [
              name,
              minute(part.date),
              `${count(part.seconds)} s`,
              busy(part.before),
              busy(part.after),
              ...withWhat(part),
            ],
          ]
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

/** What kept the server from doing more, where that was not its own core. */
function otherLimitOf({ result, on }: Measured<Spoken>): string | undefined {
  const { servers, database, load } = result!.cores;
  if (servers >= BUSY) return undefined;
  const used = `the server used ${servers.toFixed(2)} of its core, and the limit was`;
  if (database === undefined) return `${used} the load, or the database, whose CPU is not known`;
  const others = on.machine.cores - 1;
  if (load >= BUSY) return `${used} the load`;
  if (load + database >= BUSY * others)
    return `${used} the load and the database, which shared ${others === 1 ? 'the other core' : `the other ${others} cores`}`;
  return `${used} no core: the time went by with waiting, such as for the disk`;
}

/** Of a core; the rest is the system's. */
const BUSY = 0.9;

type Spoken = (typeof SPOKEN)[number];

function spokenOf(capacity: Capacity | undefined, name: Spoken): Measured<Spoken> | undefined {
  const part = capacity?.measured[name];
  return part?.result && part;
}

/** What a store does, against people who write. */
function stayOf(sqlite: Capacity | undefined): string {
  const figures = (['one room of 2,000', '1,000 rooms of 10'] as const).flatMap((name) => {
    const part = spokenOf(sqlite, name);
    if (!part) return [];
    const { mostPerSecond } = part.result!;
    const people = name === 'one room of 2,000' ? 2_000 : 10_000;
    const limit = otherLimitOf(part);
    const more = limit === undefined ? '' : ` or more (${limit})`;
    return [
      `in ${name} it acknowledges ${count(mostPerSecond)} messages a second${more}; ${count(people)} people who write once a minute are ${share(people / 60 / mostPerSecond)} of that`,
    ];
  });
  return `- **Stay on SQLite** as long as one machine is enough.${
    figures.length > 0 ? ` With one process on one core: ${figures.join('; ')}.` : ''
  } What grows first is the number of deliveries (messages × people connected in the room), then the memory of the connections. Compare \`holdfast_connections\` and the rate of \`holdfast_frames_total{event="append"}\` of your own server with the tables above.`;
}

function moveOf(sqlite: Capacity | undefined, mongodb: Capacity | undefined): string {
  const ratios: { name: Spoken; ratio: number }[] = [];
  const open: string[] = [];
  for (const name of SPOKEN) {
    const [one, other] = [spokenOf(sqlite, name), spokenOf(mongodb, name)];
    if (!one || !other) continue;
    const limits = Object.entries({ SQLite: otherLimitOf(one), MongoDB: otherLimitOf(other) }).flatMap(
      ([store, limit]) => (limit === undefined ? [] : [`on ${store} ${limit}`]),
    );
    if (limits.length > 0) open.push(`${name} (${limits.join('; ')})`);
    else ratios.push({ name, ratio: other.result!.mostPerSecond / one.result!.mostPerSecond });
  }
  const multiples = ratios.map(({ name, ratio }) => `${ratio.toFixed(2)} (${name})`).join(', ');
  const isSlower = ratios.every(({ ratio }) => ratio < 1);
  const speed =
    ratios.length > 0
      ? ` ${isSlower ? 'It is not for speed: one' : 'One'} process on MongoDB, with the database on the same machine, acknowledges so many times the messages of SQLite: ${multiples}.`
      : '';
  const notCompared =
    open.length > 0
      ? ` The server was not the limit in this measurement, so that the stores cannot be compared by it: ${open.join(', ')}.`
      : '';
  return `- **Go to MongoDB** when one machine must not be the end of the service (a failed machine, an update of its system), or when the server's core is busy for more than half of the time at the busiest hour: only with MongoDB there can be more than one process.${speed}${notCompared} \`npm run migrate\` takes everything along ([MONGODB.md](MONGODB.md)).`;
}

function addOf(sqlite: Capacity | undefined, mongodb: Capacity | undefined): string {
  const measured = SPOKEN.flatMap((name) => spokenOf(mongodb ?? sqlite, name) ?? []);
  const most = measured.flatMap((part) =>
    otherLimitOf(part) === undefined ? [part.result!.deliveredPerSecond] : [],
  );
  const notKnown =
    measured.length > 0
      ? ' At how many deliveries a second that is, the figures above do not say: the server was not the limit in any of them.'
      : '';
  const half =
    most.length > 0
      ? ` By the figures above that is at some ${count(Math.min(...most) / 2)} to ${count(Math.max(...most) / 2)} deliveries a second.`
      : notKnown;
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

- The server runs alone on one core (\`taskset\`); the load, and a database that is a process of its own, share the others. Where the column of cores shows that the server used less than ${BUSY} of its core, it was not the limit, but the load, the database or the disk was.
- **Connected**: WebSockets of people who are all in one room and do nothing: the memory is resident memory, the CPU that of heartbeats.
- **Everybody writes**: each sends a message of 40 characters, waits until it is acknowledged as durable, and sends the next one; what the server puts off is sent again when it said. It is measured for ${SPOKEN_FOR_MS / 1000} s, after ${(SPOKEN_WARM_UP * SPOKEN_FOR_MS) / 1000} s of warm-up. The latencies are from send to receipt, over all deliveries, live and fetched, while random people send at half of that rate for ${SPOKEN_FOR_MS / 1000} s. Rooms of 10: as many rooms as people, each person is in ten of them.
- **Live, fetched, left**: a server that cannot send to a client fast enough says only how long the log is (\`heads\`), or ends the connection. The clients of the load then do as the app does: of up to 200 missing messages they request all, of more the newest 50. The rest is left in the log: the app shows a gap, and fetches it when somebody scrolls there. Every message counts exactly once for each of its readers, and the measurement fails if one is missing. What comes again is dropped, as the app does, and not noticed here. **Cut off**: connections that the server ended because they did not keep up; the clients come back and send again what was not acknowledged, under the same keys.
- **Entries**: messages of 40 characters; on SQLite by 200 people in one room, on MongoDB by 1,000 people in 1,000 rooms of 10. One room of a million is the harder case, and was tried: the databases that were at hand for MongoDB read all entries of a room to find its newest one, although the query has a limit of 1 (secantusd-rs, beside other work: 6.5 s for a million), and the server waits for 7 s in all. MongoDB documents that it reads one entry of the index for that; it could not be run here. Disk: the files of the database, with its write-ahead log or journal. Memory for a million: more than the same server has after a start with an empty log.
- **Come, ${PEOPLE_AT_A_TIME} at a time**: in groups of ${PEOPLE_AT_A_TIME}, each group as soon as the one before is in; to an empty log. The tutorial's server knows no people and no rooms.
- **Messages behind**: the tutorial sends each of them all that was missed. Holdfast sends the newest, and older ones when somebody looks at them. Where not everybody has the newest message after a minute, the CPU and the messages are those of that minute.
- Each person connects from an address of their own (of 127.0.0.0/8), since the server limits what comes from one address.
- One run of each. A commit "with changes": the files were not those of the commit. \`--store sqlite|mongodb\` measures one store, and \`--only "one room of 2,000"\` one part again; the others keep their figures. \`--quick\` is a short run that writes nothing. \`BENCH_MONGOD\` is the path of a \`mongod\` or a \`secantusd-rs\` to measure with; the default is the database of the tests.`;
