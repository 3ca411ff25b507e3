/** What an attack gets: accounts, addresses, a clock, and a count of what it was answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, closeAll, type Person, signUpFrom } from './rawClient.ts';

/** Prepares, calls `begin`, and attacks until `over`. */
export type Attack = (context: AttackContext) => Promise<void>;

export interface AttackContext {
  readonly url: string;
  /** Port and host name for requests that are written by hand. */
  readonly host: string;
  /** Signs up accounts, each from an address of its own. */
  people(count: number): Promise<Person[]>;
  /** The nth address of these attackers. No two runs share one: what an earlier run has used up is not missing here. */
  address(nth?: number): string;
  /** Preparation is over: from here on the innocents are measured. */
  begin(): Promise<void>;
  over(): boolean;
  /** Resolves after `ms`, or when the attack is over. */
  pause(ms: number): Promise<void>;
  /** Resolves when the attack is over. */
  wait(): Promise<void>;
  count(what: string, times?: number): void;
  /** Counts an answer by its code. */
  answered(answer: Answer | undefined): void;
  /** Starts `work` this often until the attack is over, at most `inFlight` at a time. A rejection is counted. */
  flood(
    perSecond: number,
    work: (nth: number) => Promise<unknown> | undefined,
    inFlight?: number,
  ): Promise<void>;
}

export interface AttackOptions {
  url: string;
  ms: number;
  /** A factor of all rates. */
  rate: number;
  onBegin: () => Promise<void>;
}

/** Resolves with what was counted. */
export async function runAttack(
  attack: Attack,
  { url, ms, rate, onBegin }: AttackOptions,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const network = 10 + (runs++ % 150);
  let until = Number.POSITIVE_INFINITY;
  const count = (what: string, times = 1) => {
    counts[what] = (counts[what] ?? 0) + times;
  };
  const over = () => performance.now() >= until;
  const pause = (wanted: number) => sleep(Math.max(0, Math.min(wanted, until - performance.now())));
  const context: AttackContext = {
    url,
    host: new URL(url).host,
    people: (wanted) =>
      Promise.all(
        Array.from({ length: wanted }, () =>
          signUpFrom(url, `Mallory ${++lastPerson}`, addressOf(PEOPLE, lastPerson)),
        ),
      ),
    address: (nth = 0) => addressOf(network, nth),
    async begin() {
      await onBegin();
      until = performance.now() + ms;
    },
    over,
    pause,
    wait: () => pause(Number.POSITIVE_INFINITY),
    count,
    answered(answer) {
      if (answer === undefined) return count('no answer');
      if (!answer.ok) return count(answer.error?.code ?? 'refused');
      return count('ok');
    },
    async flood(perSecond, work, inFlight = 200) {
      const start = performance.now();
      let [started, running] = [0, 0];
      while (!over()) {
        const due = ((performance.now() - start) / 1000) * perSecond * rate;
        for (; started < due; started++) {
          if (running >= inFlight) continue; // what cannot be sent in its time is not sent later
          running++;
          Promise.resolve(work(started))
            .catch((error: Error) => count(`error: ${error.message.slice(0, 60)}`))
            .finally(() => running--);
        }
        await sleep(TICK_MS);
      }
    },
  };
  try {
    await attack(context);
  } catch (error) {
    count(`ended: ${String(error).slice(0, 200)}`);
  } finally {
    closeAll();
  }
  return counts;
}

const TICK_MS = 10;
let runs = 0;
let lastPerson = 0;
/** The network of those who sign up. */
const PEOPLE = 200;

function addressOf(network: number, nth: number): string {
  if (process.platform !== 'linux') return '127.0.0.1';
  return `127.${network}.${Math.floor(nth / 250) % 250}.${(nth % 250) + 1}`;
}
