/**
 * What a seed is about. Some breaches need several rare things one after the other; a story makes them less rare, in some
 * of the seeds, and leaves all else to chance.
 */
import type { Random } from '../../support/random.ts';
import type { Rates } from './ill.ts';
import * as person from './person.ts';
import * as surroundings from './surroundings.ts';

export interface Story {
  /** So many times as often as else. */
  often: ReadonlyMap<person.Step, number>;
  rates: Partial<Rates>;
  /** How often the browser has Web Locks, of one. */
  haveLocks?: number;
}

const ANYTHING: Story = { often: new Map(), rates: {} };

/** Requests are refused, done or not, and nobody hears of what was done: rows are parked that are in the log. */
const NOBODY_KNOWS: Story = {
  often: new Map([
    [person.send, 3],
    [person.mend, 2],
  ]),
  rates: { whole: 0.5, frame: 0.7, refuse: 0, stop: 0 },
};

/** Answers come after they were waited for, and are refusals. */
const TOO_LATE: Story = {
  often: new Map([[person.send, 4]]),
  rates: { slow: 0.8, refuse: 0.5, whole: 0, stop: 0, fate: 0 },
};

/** Without locks several tabs send the same: one is refused, and the other is not. */
const AT_ONCE: Story = {
  often: new Map<person.Step, number>([
    [person.send, 4],
    [surroundings.openTab, 6],
  ]),
  rates: { slow: 0.8, refuse: 0.5, frame: 0.8, whole: 0, stop: 0, fate: 0 },
  haveLocks: 0,
};

/** The storage fails at the moment of writing. */
const BAD_STORAGE: Story = {
  often: new Map<person.Step, number>([
    [person.send, 3],
    [person.sendAgain, 2],
    [surroundings.faultyStorage, 6],
  ]),
  rates: {},
};

/** Tabs stand still in the middle of sending; others take over, and they go on. */
const STANDSTILL: Story = {
  often: new Map<person.Step, number>([
    [person.sendMuch, 8],
    [surroundings.openTab, 4],
    [surroundings.freezeSender, 8],
    [surroundings.thawOther, 10],
  ]),
  rates: { slow: 0.7, whole: 0, stop: 0 },
  haveLocks: 1,
};

/** The data is put back while changes wait, answers are on their way, and tabs stand still. */
const PUT_BACK: Story = {
  often: new Map<person.Step, number>([
    [person.send, 2],
    [person.edit, 5],
    [person.remove, 3],
    [surroundings.openTab, 3],
    [surroundings.freezeReader, 6],
    [surroundings.thaw, 2],
    [surroundings.network, 2],
    [surroundings.othersWrite, 2],
    [surroundings.putBack, 3],
    [surroundings.putBackUnderChange, 12],
  ]),
  rates: { frame: 0.7 },
};

/** The log is large when the app is updated; it is killed while that moves, and what is held changes meanwhile. */
const UPDATE: Story = {
  often: new Map<person.Step, number>([
    [surroundings.updateApp, 12],
    [surroundings.openTab, 3],
    [surroundings.killTab, 3],
    [surroundings.restartBrowser, 6],
    [surroundings.othersWriteMuch, 6],
    [surroundings.othersAmend, 4],
    [surroundings.network, 2],
    [surroundings.copyData, 3],
    [surroundings.putBack, 6],
    [person.scroll, 2],
  ]),
  rates: {},
};

export const STORIES = {
  anything: ANYTHING,
  'nobody knows': NOBODY_KNOWS,
  'too late': TOO_LATE,
  'at once': AT_ONCE,
  'bad storage': BAD_STORAGE,
  standstill: STANDSTILL,
  'put back': PUT_BACK,
  update: UPDATE,
} as const;

export type StoryName = keyof typeof STORIES;

/** Half of the seeds are about nothing. */
export function storyOf(random: Random): Story {
  if (random.next() < 0.5) return ANYTHING;
  return random.pick([NOBODY_KNOWS, TOO_LATE, AT_ONCE, BAD_STORAGE, STANDSTILL, PUT_BACK, UPDATE]);
}
