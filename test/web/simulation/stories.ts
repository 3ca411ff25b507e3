/**
 * The stories of seeds. Some breaches need several rare events in sequence; a story makes these events more frequent in some of
 * the seeds, and leaves everything else random.
 */
import type { Random } from '../../support/random.ts';
import type { Rates } from './ill.ts';
import * as person from './person.ts';
import * as surroundings from './surroundings.ts';

export interface Story {
  /** The factor for the weight of each action. */
  often: ReadonlyMap<person.Step, number>;
  rates: Partial<Rates>;
  /** The probability that the browser has Web Locks. */
  haveLocks?: number;
}

const ANYTHING: Story = { often: new Map(), rates: {} };

/** Requests are refused, executed or not, and live frames are lost: parked rows may be in the log. */
const NOBODY_KNOWS: Story = {
  often: new Map([
    [person.send, 3],
    [person.mend, 2],
  ]),
  rates: { whole: 0.5, frame: 0.7, refuse: 0, stop: 0 },
};

/** Answers arrive after the timeout, and are refusals. */
const TOO_LATE: Story = {
  often: new Map([[person.send, 4]]),
  rates: { slow: 0.8, refuse: 0.5, whole: 0, stop: 0, fate: 0 },
};

/** Without Web Locks several tabs send the same row: one is refused, the other is not. */
const AT_ONCE: Story = {
  often: new Map<person.Step, number>([
    [person.send, 4],
    [surroundings.openTab, 6],
  ]),
  rates: { slow: 0.8, refuse: 0.5, frame: 0.8, whole: 0, stop: 0, fate: 0 },
  haveLocks: 0,
};

/** The storage fails during writes. */
const BAD_STORAGE: Story = {
  often: new Map<person.Step, number>([
    [person.send, 3],
    [person.sendAgain, 2],
    [surroundings.faultyStorage, 6],
  ]),
  rates: {},
};

/** Tabs are frozen while they send; others take over, then the first ones resume. */
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

/** A backup is restored while amendments wait, answers are in flight, and tabs are frozen. */
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

/** The app is updated with a large log; it is killed during the migration, and the log changes meanwhile. */
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

/** Half of the seeds have no story. */
export function storyOf(random: Random): Story {
  if (random.next() < 0.5) return ANYTHING;
  return random.pick([NOBODY_KNOWS, TOO_LATE, AT_ONCE, BAD_STORAGE, STANDSTILL, PUT_BACK, UPDATE]);
}
