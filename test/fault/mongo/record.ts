/**
 * Records all observed entries: from acknowledgements, tails and ranges. All observations must agree with one log (L1 to L4), so
 * an observation that differs from an earlier one is a violation, and the final log is the last observation.
 */
import type { Entry } from '../../../shared/entry.ts';

export interface Told {
  room: string;
  author: string;
  clientOffset: string;
  serverOffset: number;
  at: number;
}

export interface Log {
  room: string;
  entries: readonly Entry[];
}

export interface LogRecord {
  tell(told: Told, by: string): void;
  violate(sentence: string): void;
  violations(): readonly string[];
  /** Compares all observations with the final logs: no entry is missing, and there are no others. */
  compare(logs: readonly Log[]): readonly string[];
}

const SHOWN_AT_MOST = 20;

export function createRecord(): LogRecord {
  const byKey = new Map<string, Told & { by: string }>();
  const byPlace = new Map<string, Told & { by: string }>();
  const violations: string[] = [];
  const violate = (sentence: string) => {
    if (violations.length < SHOWN_AT_MOST) violations.push(sentence);
  };

  const tell = (told: Told, by: string) => {
    const sameKey = byKey.get(keyOf(told));
    if (sameKey === undefined) byKey.set(keyOf(told), { ...told, by });
    else if (sameKey.serverOffset !== told.serverOffset || sameKey.at !== told.at)
      violate(`L3 ${keyOf(told)}: ${shown(sameKey)} by ${sameKey.by}, ${shown(told)} by ${by}`);
    const samePlace = byPlace.get(placeOf(told));
    if (samePlace === undefined) byPlace.set(placeOf(told), { ...told, by });
    else if (keyOf(samePlace) !== keyOf(told))
      violate(`L1 ${placeOf(told)}: ${keyOf(samePlace)} by ${samePlace.by}, ${keyOf(told)} by ${by}`);
  };

  return {
    tell,
    violate,
    violations: () => violations,
    compare(logs) {
      const places = new Set<string>();
      for (const { room, entries } of logs) {
        for (const [index, entry] of entries.entries()) {
          if (entry.serverOffset !== index + 1)
            violate(`L1 ${room}: ${entry.serverOffset} stands where ${index + 1} belongs`);
          places.add(placeOf({ room, serverOffset: entry.serverOffset }));
          tell({ room, ...entry }, 'the log at the end');
        }
      }
      for (const [place, told] of byPlace)
        if (!places.has(place))
          violate(`L2 ${place}: ${keyOf(told)} was shown by ${told.by} and is not in the log`);
      return violations;
    },
  };
}

function keyOf({ room, author, clientOffset }: Told): string {
  return `${room}/${author}/${clientOffset}`;
}

function placeOf({ room, serverOffset }: Pick<Told, 'room' | 'serverOffset'>): string {
  return `${room}#${serverOffset}`;
}

function shown({ serverOffset, at }: Told): string {
  return `${serverOffset} (at ${at})`;
}
