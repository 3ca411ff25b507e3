/** What the person at the terminal sees of a move: a bar that is drawn again, or a line now and then where there is no terminal. */
import type { MoveProgress } from './moveDatabase.ts';

interface Terminal {
  isTTY?: boolean;
  write(text: string): unknown;
}

const WIDTH = 30;
const DRAW_EVERY_MS = 200;
const LINE_EVERY_MS = 5_000;

/** `now`: a monotonic clock in milliseconds. */
export function createProgressBar(out: Terminal, now: () => number) {
  const everyMs = out.isTTY ? DRAW_EVERY_MS : LINE_EVERY_MS;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = '';
  let began: { tag: string; at: number; done: number } | undefined;

  function draw(line: string): void {
    if (line === drawn) return;
    out.write(out.isTTY ? `\r${line.padEnd(drawn.length)}` : `${line}\n`);
    drawn = line;
    drawnAt = now();
  }

  return {
    show(progress: MoveProgress): void {
      const isNew = began?.tag !== progress.tag;
      const done = 'done' in progress ? progress.done : 0;
      if (isNew) began = { tag: progress.tag, at: now(), done };
      const isLast = 'done' in progress && done >= progress.of;
      if (isNew || isLast || now() - drawnAt >= everyMs) draw(lineOf(progress, began!, now()));
    },
    /** What comes next begins on a line of its own. */
    end(): void {
      if (out.isTTY && drawn !== '') out.write('\n');
      drawn = '';
    },
  };
}

/** Pure. */
function lineOf(progress: MoveProgress, began: { at: number; done: number }, now: number): string {
  switch (progress.tag) {
    case 'rows':
      return 'Copying users, rooms and settings.';
    case 'changes':
      return 'Copying what has changed meanwhile.';
    case 'last-part':
      return 'Copying the last part; the server takes nothing meanwhile.';
    default: {
      const { tag, done, of } = progress;
      const part = of === 0 ? 1 : done / of;
      const bar = '#'.repeat(Math.floor(part * WIDTH)).padEnd(WIDTH, '.');
      const perMs = (done - began.done) / Math.max(1, now - began.at);
      const speed = perMs > 0 && done < of ? `, ${count(perMs * 1_000)} a second` : '';
      const left = perMs > 0 && done < of ? `, ${time((of - done) / perMs)} left` : '';
      const verb = tag === 'copying' ? 'copied' : 'compared';
      return `[${bar}] ${Math.floor(100 * part)} %: ${count(done)} of ${count(of)} entries ${verb}${speed}${left}`;
    }
  }
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en');
}

function time(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
