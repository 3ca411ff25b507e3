/** Runs a seed: whole clients in one browser that two users share, under random faults. */
import type { Tab } from './browser.ts';
import { end } from './ending.ts';
import { PERSON, type Step, type Steps } from './person.ts';
import { createRun, type Run } from './run.ts';
import type { StoryName } from './stories.ts';
import { amend, SURROUNDINGS } from './surroundings.ts';

export interface Report {
  seed: number;
  /** The broken promise, with its rule; undefined if there is none. */
  breach: string | undefined;
  /** The number of completed steps. */
  steps: number;
  journal: readonly string[];
}

const STEPS = 40;

export async function simulate(seed: number, about?: StoryName): Promise<Report> {
  const run = createRun(seed, about);
  const { world } = run;
  /** Each seed has its own weights for the actions. */
  const leaning = (steps: Steps): Steps =>
    steps.map(([often, step]) => [
      often * world.random.pick([0.2, 1, 1, 4]) * (run.story.often.get(step) ?? 1),
      step,
    ]);
  const [person, surroundings] = [leaning(PERSON), leaning(SURROUNDINGS)];
  let done = 0;
  try {
    await begin(run);
    for (; done < STEPS && !run.breach; done++)
      await oneStep(run, world.random.next() < 0.55 ? person : surroundings);
    if (!run.breach) await end(run);
  } catch (error) {
    run.broken('It failed', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  for (const tab of run.browser.tabs()) tab.kill();
  world.end();
  return { seed, breach: run.breach, steps: done, journal: world.journal };
}

async function begin(run: Run): Promise<void> {
  const { server, people, ada, world, browser } = run;
  for (const name of ['Lobby', 'Ward']) {
    const room = server.newRoom(name, [ada, ...people]);
    for (let i = world.random.int(0, 12); i > 0; i--)
      if (world.random.next() < 0.2) amend(run, [ada], room);
      else server.write(room, ada, `${ada} before ${i}`);
  }
  const tab = browser.openTab();
  await world.pass(100);
  await world.settle();
  void tab.client.signIn(server.names.get(people[0])!, 'a password');
  await world.pass(3_000);
}

async function oneStep(run: Run, steps: Steps): Promise<void> {
  const { world, browser } = run;
  const said = pick(run, steps)(run);
  if (said === undefined) return;
  world.note(`— ${said}`);
  const ms = world.random.pick([0, 1, 5, 30, 30, 200, 200, 1_000, 1_000, 4_000, 12_000]);
  for (const part of [0.5, 0.5]) {
    await world.pass(ms * part);
    for (const tab of browser.tabs()) attend(run, tab);
  }
  if (world.random.next() < 0.3) await world.settle();
  run.look();
}

/** A user who has signed in opens a room. */
function attend({ world }: Run, tab: Tab): void {
  const app = tab.signedIn();
  if (tab.isFrozen()) return;
  if (tab.lookingAs !== app?.user.id) tab.boxes.clear();
  if (!app) tab.looking = undefined;
  else if (app.rooms.length > 0 && (tab.looking === undefined || tab.lookingAs !== app.user.id)) {
    tab.look(world.random.pick(app.rooms).id);
    tab.lookingAs = app.user.id;
  }
}

function pick({ world }: Run, steps: Steps): Step {
  let place = world.random.next() * steps.reduce((sum, [often]) => sum + often, 0);
  for (const [often, step] of steps) {
    place -= often;
    if (place < 0) return step;
  }
  return steps[0]![1];
}
