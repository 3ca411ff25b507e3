/**
 * The event queue of a run: timers, network messages, and each step of each database. Virtual time advances from event to
 * event, and all microtasks of one event run before the next event: so a seed always gives the same run.
 */
import { type Random, seeded } from '../../support/random.ts';

export interface World {
  readonly random: Random;
  now(): number;
  after(ms: number, run: () => void): Happening;
  cancel(happening: Happening): void;
  /** Advances the time, and runs all events in between. */
  pass(ms: number): Promise<void>;
  /** Runs until databases and channels are idle; network and timers wait meanwhile. */
  settle(): Promise<void>;
  isSettled(): boolean;
  /** Like `after`, for databases and channels: in the order of the calls. */
  soon(ms: number, run: () => void): void;
  /** Adds a line to the journal. */
  note(line: string): void;
  readonly journal: readonly string[];
  /** Ends the run: further events are dropped, and `setImmediate` is restored. */
  end(): void;
}

export interface Happening {
  at: number;
  order: number;
  isSoon: boolean;
  run: () => void;
}

/** More events than a correct run has: something loops without waiting. */
const MOST_IN_ONE_GO = 200_000;
/** fake-indexeddb polls whether a handle may be closed. That is not work, so it gets a slower timer. */
const WAITS = /closeConnection|waitForOthersClosed/;
const ASKED_AGAIN_MS = 20;

export function createWorld(seed: number): World {
  const random = seeded(seed);
  const queue: Happening[] = [];
  const journal: string[] = [];
  const real = globalThis.setImmediate;
  /** The duration of a database step: between slow steps, more other events happen. */
  const stepMs = random.pick([0, 0, 0, 1, 4]);
  let now = 0;
  let order = 0;
  let soon = 0;
  let lastSoon = 0;

  function add(at: number, isSoon: boolean, run: () => void): Happening {
    const happening = { at, order: ++order, isSoon, run };
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (queue[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, happening);
    if (isSoon) soon++;
    return happening;
  }

  async function happen(happening: Happening): Promise<void> {
    if (happening.isSoon) soon--;
    now = Math.max(now, happening.at);
    happening.run();
    await afterMicrotasks();
  }

  function soonAfter(ms: number, run: () => void): void {
    lastSoon = Math.max(lastSoon, now + ms);
    add(lastSoon, true, run);
  }

  globalThis.setImmediate = ((run: () => void) => {
    if (WAITS.test(run.toString())) add(now + ASKED_AGAIN_MS, false, run);
    else soonAfter(stepMs, run);
  }) as typeof setImmediate;

  return {
    random,
    now: () => now,
    after: (ms, run) => add(now + ms, false, run),
    soon: soonAfter,
    cancel(happening) {
      const place = queue.indexOf(happening);
      if (place >= 0) queue.splice(place, 1);
    },
    async pass(ms) {
      const until = now + ms;
      for (let count = 0; queue.length > 0 && queue[0]!.at <= until; count++) {
        if (count > MOST_IN_ONE_GO) throw new Error('it goes round and round');
        await happen(queue.shift()!);
      }
      now = Math.max(now, until);
    },
    async settle() {
      await afterMicrotasks(); // calls that have just begun reach their database then
      for (let count = 0; soon > 0; count++) {
        if (count > MOST_IN_ONE_GO) throw new Error('the databases go round and round');
        const [next] = queue.splice(
          queue.findIndex(({ isSoon }) => isSoon),
          1,
        );
        await happen(next!);
      }
    },
    isSettled: () => soon === 0,
    note: (line) => void journal.push(`${String(now).padStart(8)} ${line}`),
    journal,
    end() {
      queue.length = 0;
      globalThis.setImmediate = real;
    },
  };
}

function afterMicrotasks(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
