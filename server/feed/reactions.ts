/**
 * The reactions to messages that entries of a frame concern, counted by the store: a client counts nothing, so a message with a
 * thousand reactions costs it as much as one with two.
 */
import type { Entry } from '../../shared/entry.ts';
import { countedFor, isMessage } from '../../shared/kinds.ts';
import type { Reactions, Users } from '../../shared/protocol/index.ts';
import type { LogStore } from '../store/port.ts';
import type { Names } from './names.ts';

/** Of frames: the messages that reactions among these entries are about. A frame without reactions asks nothing. */
export function reactionsInFrame(
  log: Pick<LogStore, 'reactionsTo'>,
  room: string,
  entries: readonly Entry[],
  user: string | undefined,
): Promise<Reactions[]> {
  return reactionsAbout(log, room, entries.map(countedFor), user);
}

/** Of answers: these, and the messages among the entries. */
export function reactionsInRange(
  log: Pick<LogStore, 'reactionsTo'>,
  room: string,
  entries: readonly Entry[],
  user: string,
): Promise<Reactions[]> {
  const messages = entries.map((entry) =>
    isMessage(entry) && !entry.deleted ? entry.serverOffset : countedFor(entry),
  );
  return reactionsAbout(log, room, messages, user);
}

async function reactionsAbout(
  log: Pick<LogStore, 'reactionsTo'>,
  room: string,
  messages: readonly (number | undefined)[],
  user: string | undefined,
): Promise<Reactions[]> {
  const targets = [...new Set(messages)].filter((target) => target !== undefined);
  return targets.length === 0 ? [] : log.reactionsTo(room, targets, user);
}

/** The frame's field, which is absent where there are none. */
export function reactionsField(reactions: Reactions[]): { reactions?: Reactions[] } {
  return reactions.length === 0 ? {} : { reactions };
}

/** The names of the people that they name. */
export async function namesIn(
  names: Pick<Names, 'ofUsers'>,
  reactions: readonly Reactions[],
): Promise<Users> {
  const people = new Set(reactions.flatMap(({ counts }) => counts.flatMap(({ by }) => by)));
  return people.size === 0 ? {} : names.ofUsers([...people]);
}
