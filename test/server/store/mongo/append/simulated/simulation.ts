/**
 * The simulation: a replica set, writers and devices, and a scheduler that chooses each next step by a seed. First with all
 * kinds of faults, then without, until every item of every device has a result.
 */
import { type Random, seeded } from '../../../../../support/random.ts';
import { createDevices, deviceOf, type Queued } from './devices.ts';
import { createNetwork, lastPrimary } from './network.ts';
import { createReplicaSet } from './replicaSet.ts';
import { type Note, type ServerRules, SOUND } from './server.ts';
import { Broken, createWitness } from './witness.ts';
import { type Around, createWriter, leadSoundly } from './writers.ts';

/** Deliberate faults. */
export interface Variant {
  server?: Partial<ServerRules>;
  lead?: Around['lead'];
  /** Whether a tail delivers only committed entries. */
  tailsLocally?: boolean;
}

const TROUBLE_STEPS = 4_000;
const QUIET_STEPS = 100_000;

/** Throws `Broken` if a promise is broken. */
export function simulate(seed: number, variant: Variant = {}, note: Note = () => undefined): void {
  const random = seeded(seed);
  const world = createWorld(random, variant, note);
  for (let steps = 0; steps < TROUBLE_STEPS && !world.isDone(); steps++) world.step(world.trouble);
  world.heal();
  for (let steps = 0; !world.isDone(); steps++) {
    if (steps === QUIET_STEPS) throw new Broken('items are left, and nothing goes wrong any more');
    world.step(world.quiet);
  }
  world.checkQueues();
}

/** Does one step, or returns false if there is none of its kind. */
type Happening = () => boolean;
type Odds = [weight: number, happening: Happening][];

function createWorld(random: Random, variant: Variant, note: Note) {
  const rules: ServerRules = { ...SOUND, ...variant.server };
  const witness = createWitness();
  const set = createReplicaSet(witness.commits, () => note('an entry is rolled back'));
  const network = createNetwork(set, rules, note);
  const devices = createDevices(random);
  const rooms = [...new Set(devices.map(({ room }) => room))];
  const lead = variant.lead ?? leadSoundly;
  const writers = Array.from({ length: random.int(2, 4) }, () =>
    createWriter({ network, witness, believesIn: set.members[0]!, clock: clockOf(random), lead }),
  );
  let now = 0;

  const member = () => random.pick(set.members);
  const writer = () => random.pick(writers);

  function hear(): boolean {
    const { log, commit } = member();
    const room = random.pick(rooms);
    const known = variant.tailsLocally ? log : log.slice(0, commit);
    const last = known.findLast(({ document }) => document?.room === room)?.document;
    if (!last) return false;
    const { serverOffset, at } = last;
    const placeOnly = random.int(0, 3) === 0;
    if (placeOnly) note('a head of which only the place is known');
    writer().hear(room, placeOnly ? { serverOffset } : { serverOffset, at });
    return true;
  }

  function send(): boolean {
    const batch = random.pick(devices).takeBatch(random);
    if (!batch) return false;
    writer().enqueue(batch);
    return true;
  }

  function elect(): boolean {
    const candidate = member();
    if (!set.elect(candidate, member())) return false;
    note('an election');
    for (const writer of writers) if (random.int(0, 1) === 0) writer.believesIn = candidate;
    return true;
  }

  /** Like replSetStepDown: to a member that has every entry, but does not know yet that they are committed. */
  function handOver(): boolean {
    const primary = lastPrimary(set.members);
    const heir = set.members.find(
      ({ role, log }) => role === 'secondary' && log.length === primary?.log.length,
    );
    if (!primary || !heir || !set.elect(heir, primary)) return false;
    for (const writer of writers) writer.believesIn = heir;
    return true;
  }

  function discover(): boolean {
    const primaries = set.members.filter(({ role }) => role === 'primary');
    if (primaries.length === 0) return false;
    writer().believesIn = random.pick(primaries);
    return true;
  }

  function pause(): boolean {
    const one = writer();
    one.isPaused = !one.isPaused && random.int(0, 2) === 0;
    return true;
  }

  function crash(): boolean {
    writer().crash();
    return true;
  }

  const work: Odds = [
    [20, () => network.deliver(random)],
    [30, () => network.advance(random)],
    [25, () => network.reply(random)],
    [8, () => set.pull(member(), member(), random.int(1, 4))],
    [8, () => set.report(member(), member())],
    [10, hear],
    [15, send],
    [20, () => writer().begin(random, ++now)],
    [10, () => writer().wake(random, false)],
  ];
  const mishaps: Odds = [
    [4, () => writer().wake(random, true)],
    [3, elect],
    [3, handOver],
    [3, () => network.cut(random)],
    [3, discover],
    [1, () => random.pick(devices).abandon()],
    [1, pause],
    [0.5, crash],
  ];
  const trouble = [...swarm(work, [0.2, 1, 3], random), ...swarm(mishaps, [0, 1, 1, 4], random)];
  const quiet: Odds = [
    ...work,
    [1, () => writer().wake(random, true)],
    [1, () => !lastPrimary(set.members) && elect()],
  ];

  return {
    trouble,
    quiet,

    step(odds: Odds) {
      const happening = weighted(odds, random);
      happening();
    },

    heal() {
      for (const writer of writers) writer.isPaused = false;
      for (const device of devices) device.abandon();
    },

    isDone: () => devices.every((device) => device.isDone()),

    checkQueues() {
      for (const { queue } of devices) {
        witness.queued([...new Set(queue.filter(keepsItsPlace).map(({ item }) => item))]);
      }
    },
  };
}

/** Most clocks are right; some are ahead or behind, and one was never set. */
function clockOf(random: Random): (moment: number) => number {
  const skew = random.pick([0, 0, 7, -15]);
  const stopped = random.int(0, 7) === 0;
  return (moment) => (stopped ? 0 : Math.max(0, moment + skew));
}

/** Each run has its own selection of faults: some problems show only with a few kinds of faults at a time. */
function swarm(odds: Odds, factors: readonly number[], random: Random): Odds {
  return odds.map(([weight, happening]) => [weight * random.pick(factors), happening]);
}

/** Excludes items that were refused and retried, and items that may have been refused without their device knowing. */
function keepsItsPlace({ item, wasRefused }: Queued): boolean {
  const { author, clientOffset, target, targetAuthor = author } = item;
  const isOwn =
    targetAuthor === author && target !== undefined && deviceOf(target) === deviceOf(clientOffset);
  return !wasRefused && (target === undefined || isOwn);
}

function weighted(odds: Odds, random: Random): Happening {
  let at = random.next() * odds.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, happening] of odds) {
    at -= weight;
    if (at < 0) return happening;
  }
  return odds.at(-1)![1];
}
