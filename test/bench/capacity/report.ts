/** Renders docs/CAPACITY.md from the results alone: the same data give the same page. */
import type { Machine } from '../machine.ts';
import type { Behind, Connected, Spoken, Stored, Storm } from './parts.ts';

/** Of one store. */
export interface Capacity {
  date: string;
  machine: Machine;
  database: string;
  connected: Connected[];
  spoken: Spoken[];
  stored: Stored;
  storm: { tutorial: Storm; holdfast: Storm };
  behind: { tutorial: Behind; holdfast: Behind };
}

export type Capacities = Partial<Record<'sqlite' | 'mongo1', Capacity>>;

export function reportOf(found: Capacities): string {
  const sections = [
    found.sqlite && sectionOf('SQLite', found.sqlite),
    found.mongo1 && sectionOf('MongoDB', found.mongo1),
  ].filter((section) => section !== undefined);
  return `${[HEAD, ...sections, WHEN, METHOD].join('\n\n')}\n`;
}

function sectionOf(title: string, capacity: Capacity): string {
  const { date, machine, database, connected, spoken, stored, storm, behind } = capacity;
  return [
    `## ${title}, one process on one core`,
    table(
      ['people connected, idle', 'all in after', 'memory of the server', 'of a core'],
      connected.map(({ people, cameInMs, bytes, cores }) => [
        count(people),
        seconds(cameInMs),
        megabytes(bytes),
        `${(100 * cores).toFixed(1)} %`,
      ]),
    ),
    table(
      [
        'everybody writes',
        'messages a second, at most',
        'deliveries a second',
        'half of it: p50',
        'p99',
        'cores: server, database, load',
      ],
      spoken.map(({ title, mostPerSecond, deliveredPerSecond, half, cores }) => [
        title,
        count(mostPerSecond),
        count(deliveredPerSecond),
        milliseconds(half.p50),
        milliseconds(half.p99),
        [cores.servers, cores.database, cores.load].map((used) => used.toFixed(2)).join(', '),
      ]),
    ),
    table(
      [
        'entries in the log',
        'disk',
        'disk for a million',
        'from the start to the first message',
        'memory of the server',
      ],
      [
        [
          count(stored.entries),
          stored.diskBytes === undefined ? 'not told' : megabytes(stored.diskBytes),
          stored.diskBytes === undefined
            ? 'not told'
            : megabytes((stored.diskBytes * 1_000_000) / stored.entries),
          seconds(stored.startMs),
          megabytes(stored.bytes),
        ],
      ],
    ),
    table(
      [`${count(storm.holdfast.people)} people come at once`, 'all in after', 'CPU of the server for each'],
      Object.entries(storm).map(([who, { allInMs, cpuMs }]) => [
        NAMES[who]!,
        seconds(allInMs),
        `${cpuMs.toFixed(2)} ms`,
      ]),
    ),
    table(
      [
        `${count(behind.holdfast.people)} people come back, ${count(behind.holdfast.messages)} messages behind`,
        'all have the newest after',
        'CPU of the server in all',
        'messages sent to each',
      ],
      Object.entries(behind).map(([who, { newestMs, cpuMs, sentToEach }]) => [
        NAMES[who]!,
        seconds(newestMs),
        seconds(cpuMs),
        count(sentToEach),
      ]),
    ),
    `${date.slice(0, 10)}. ${machine.processor}, ${machine.cores} cores, ${machine.system}; Node ${machine.node}, socket.io ${machine.socketIo}. Database: ${database}.`,
  ].join('\n\n');
}

const NAMES: Record<string, string> = { tutorial: 'the tutorial’s server', holdfast: 'Holdfast' };

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
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

const HEAD = `# Capacity

How much one server process holds on one core. \`npm run capacity\` measures it and writes this page, and the data into \`capacity.json\` beside it. A comparison by ratios with the tutorial's server, over several rounds, is in [BENCHMARK.md](BENCHMARK.md).`;

const WHEN = `## When to change

- **Stay on SQLite** as long as one machine is enough. One process on one core serves more messages than any group of people writes; what grows first is the number of deliveries (messages × people in the room), then the memory of the connections. Both are in the tables above: compare them with \`holdfast_connections\` and the rate of \`holdfast_frames_total\` of your own server, with the label \`event="append"\`.
- **Go to MongoDB** when one machine must not be the end of the service (a failed machine, an update of its system), or when the server's core is busy for more than half of the time at the busiest hour. \`npm run migrate\` takes everything along ([MONGODB.md](MONGODB.md)).
- **Add a process** (\`WORKERS=n\`, or another machine behind a proxy) when the event loop of a process is late at the busiest hour although the database is not, or for the memory of more connections. Each process reads all entries, so the work of the database grows with the number of processes: two processes give about twice the connections, and less than twice the messages a second in one room ([BENCHMARK.md](BENCHMARK.md), "Fairness").`;

const METHOD = `## How it is measured

- The server runs alone on one core (\`taskset\`); the load, and a database that is a process of its own, share the others. Where the column of cores shows that the load or the database was busy with a whole core, it was the limit, and not the server.
- **Connected**: WebSockets of people who are all in one room and do nothing: the memory is resident memory, the CPU that of heartbeats.
- **Everybody writes**: each sends a message of 40 characters, waits until it is acknowledged as durable, and sends the next one; what the server puts off is sent again when it said. The latencies are from send to receipt, over all deliveries, while random people send at half of that rate. Rooms of 10: as many rooms as people, each person is in ten of them.
- **Entries**: messages of 40 characters by 200 people in one room. Disk: the database's files, with its write-ahead log, or what MongoDB's \`dbStats\` says.
- **Come at once**: in groups of 50, each group as soon as the one before is in; to an empty log. The tutorial's server knows no people and no rooms.
- **Messages behind**: the tutorial sends each of them all that was missed. Holdfast sends the newest, and older ones when somebody looks at them.
- One run of each. \`--only sqlite|mongo1\` measures one store; \`--quick\` is a short run that writes nothing. \`BENCH_MONGOD\` is the path of a \`mongod\` or a \`secantusd-rs\` to measure with; the default is the database of the tests.`;
