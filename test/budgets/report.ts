/** Renders docs/MEASURE.md from the measurements alone. */
import type { Machine } from '../bench/machine.ts';
import type { Sizes } from '../check/size.ts';
import type { Absence } from './absence.ts';
import budgets from './budgets.json' with { type: 'json' };
import { slownessOf } from './calibration.ts';
import { type Figures, figuresOf } from './figures.ts';
import type { Measured } from './measure.ts';

export interface Run {
  date: string;
  machine: Machine;
  chromium: string;
  /** The load average before and after: above the number of cores, other work ran on the machine. */
  load: [number, number];
  sizes: Sizes;
  measured: Measured[];
  absences: Absence[];
}

export function reportOf(run: Run): string {
  return `${[HEAD, bytesOf(run.sizes), ...run.measured.map(sectionOf), absencesOf(run), machineOf(run), METHOD].join('\n\n')}\n`;
}

function bytesOf(sizes: Sizes): string {
  return table(
    ['brotli', 'budget', 'now', ''],
    [
      row('initial JavaScript', budgets.initialJavaScriptBrotliBytes, sizes.initialJavaScript, 'B'),
      row('service worker', budgets.serviceWorkerBrotliBytes, sizes.serviceWorker, 'B'),
    ],
  );
}

function sectionOf({
  slowdown,
  slowdownSeen,
  starts,
  taps,
  scrolls,
  shiftOfTaps,
  pieceMs,
}: Measured): string {
  const start = figuresOf(starts.map(({ ms }) => ms));
  const tap = figuresOf(taps);
  const longest = figuresOf(scrolls.map(({ longestTaskMs }) => longestTaskMs));
  const most = (of: (one: Measured['scrolls'][number]) => number) => Math.max(...scrolls.map(of));
  const slowness = slowdown === budgets.cpuSlowdown ? slownessOf([pieceMs]) : 1;
  const shiftOfStarts = Math.max(...starts.map(({ shift }) => shift));
  return [
    `## ${slowdown === 1 ? 'As fast as the machine is' : `${slowdown} times as slow`} (a loop in the page took ${slowdownSeen.toFixed(1)} times as long; the piece that calibrates the tests ${pieceMs.toFixed(1)} ms${slowness === 1 ? '' : `, ${slowness.toFixed(2)} times that of the machine of the budgets`})`,
    table(
      ['times', 'budget', 'here', 'median', 'least – most', 'samples', ON_THEIRS, ''],
      [
        timesRow('tap to a durable, visible row, p99', budgets.tapToShownP99Ms, tap.p99, tap, slowness),
        timesRow(
          'cold start to 50 messages without a network, p75',
          budgets.coldStartP75Ms,
          start.p75,
          start,
          slowness,
        ),
        timesRow(
          'longest task while scrolling',
          budgets.longestScrollTaskMs,
          longest.most,
          longest,
          slowness,
        ),
      ],
    ),
    table(
      ['counts', 'budget', 'now', ''],
      [
        row(
          'messages in the document, at most',
          budgets.rowsInDocument,
          most(({ mostRows }) => mostRows),
          '',
        ),
        row('layout shift at a start, at most', budgets.layoutShift, shiftOfStarts, ''),
        row('layout shift while tapping', budgets.layoutShift, shiftOfTaps, ''),
        row(
          'layout shift while scrolling',
          budgets.layoutShift,
          most(({ shift }) => shift) - shiftOfTaps,
          '',
        ),
      ],
    ),
  ].join('\n\n');
}

function absencesOf({ absences }: Run): string {
  const rows = absences.map(({ slowdown, caughtUpMs, taps, connections, slowness }) => {
    const { median, most, count } = figuresOf(taps);
    const both = (time: number) => `${ms(time)} (${ms(time / slowness)})`;
    const cells = [
      `${slowdown} times`,
      both(caughtUpMs),
      `${connections}`,
      both(median),
      both(most),
      `${count}`,
      slowness.toFixed(2),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const head = [
    'slower',
    'caught up after',
    'connections',
    'tap, median',
    'tap, longest',
    'taps',
    'slower than the machine of the budgets',
  ];
  return `## After an absence: 190 missed in each of 20 rooms, while somebody writes\n\nIn brackets: ${ON_THEIRS}.\n\n${table(head, rows)}`;
}

function timesRow(
  title: string,
  budget: number,
  now: number,
  { median, least, most, count }: Figures,
  slowness: number,
): string {
  const range = `${ms(least)} – ${ms(most)}`;
  const there = now / slowness;
  return `| ${[title, `${budget} ms`, `**${ms(now)}**`, ms(median), range, count, ms(there), verdict(there, budget)].join(' | ')} |`;
}

/** What is measured is divided by how much slower this machine is: that is what has a budget. */
const ON_THEIRS = 'on the machine of the budgets';

function row(title: string, budget: number, now: number, unit: string): string {
  const shown = (value: number) => `${Number(value.toFixed(3)).toLocaleString('en')} ${unit}`.trim();
  return `| ${[title, shown(budget), `**${shown(now)}**`, verdict(now, budget)].join(' | ')} |`;
}

/** Browsers report tasks of at least 50 ms; 0 means shorter tasks only. */
function ms(value: number): string {
  return value === 0 ? '< 50 ms' : `${Math.round(value).toLocaleString('en')} ms`;
}

function verdict(now: number, budget: number): string {
  return now <= budget ? 'within' : '**over**';
}

function table(head: string[], rows: string[]): string {
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
}

function machineOf({ date, machine, chromium, load }: Run): string {
  const { processor, cores, system, node } = machine;
  const busy = load.map((one) => one.toFixed(1)).join(' before and ');
  return `${date.slice(0, 10)}. ${processor}, ${cores} cores, ${system}; Chromium ${chromium}, Node ${node}. Load of the machine: ${busy} after${Math.max(...load) > 2 * cores ? ', so it was busy with other things, and the times say more of them than of the page' : ''}.`;
}

const HEAD = `# What it costs on the phone

The budgets are numbers in \`test/budgets/budgets.json\`. Bytes fail in \`npm run check\`; rows and layout shift fail in the browser tests at their number, times at 1.5 times theirs, on a machine that is as slow as a fixed piece of work shows (\`test/e2e/budgets.e2e.ts\`, \`test/budgets/calibration.ts\`). This page is written by \`npm run measure\`.`;

const METHOD = `## How it is measured

- **The phone** is Chromium at 390×844, headless, whose IndexedDB holds a room of 100,000 texts with 1,964 edits and deletions, written in the app's own tables, and twenty small rooms. The server's log is the same.
- **Slow** is the brake of the browser's developer tools, on the page's main thread. The service worker, the process that holds IndexedDB, the network and the server run as fast as they can.
- **A tap** is a finger (touch events through the browser) that rests on Send for 60 ms, 100 to 400 ms after the last word. It counts from when the finger leaves the glass, by the event's own time, until the strict transaction is complete and the frame that shows the row is painted: the first task after that frame. The network is there, so each message is sent as well, and the next tap comes when it is.
- **A cold start** is a browser that was not running, without a network, at the room's address: from the beginning of the navigation until a frame with 50 messages is painted. The service worker's start is in it, the browser's own is not.
- **Scrolling** is the browser's wheel gesture at 5,000 pixels a second, up through 1,000 messages and down again; the longest task of each time is a sample. Jumps of the scroll position are looked for in another scroll, by the browser tests: it makes the page draw every frame.
- **How slow the machine is** is measured between these, by a fixed piece of work (test/budgets/calibration.ts): it changes within seconds.
- **Layout shift** is the browser's figure; shifts right after a tap or a key are no part of it, as it is always defined.`;
