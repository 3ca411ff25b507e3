/** Parses frames and answers of the server, with the schemas of the protocol. Part of the lazy engine chunk. */
import * as v from 'valibot';
import {
  type Acknowledgement,
  type AnsweredName,
  answers,
  type Down,
  FailedRoom,
  type FrameName,
  frames,
  Heads,
  Refusal,
  Room,
  Users,
} from '../../shared/protocol/index.ts';

export const FRAMES = Object.keys(frames) as FrameName[];

/**
 * Undefined, with a warning in the console, where this version cannot read the frame. If only one room or one user of
 * it is unreadable, the rest is used: the room is added to `failed`, the user is left out.
 */
export function readFrame(event: FrameName, payload: unknown): Down | undefined {
  const parsed = v.safeParse(frames[event] as v.GenericSchema, readablePart(event, payload));
  if (parsed.success) return { event, payload: parsed.output } as Down;
  console.warn(`a frame \`${event}\` could not be read: ${v.summarize(parsed.issues)}`);
  return undefined;
}

function readablePart(event: FrameName, payload: unknown): unknown {
  if (!isRecord(payload)) return payload;
  switch (event) {
    case 'welcome': {
      const [rooms, bad] = split(Room, payload.rooms);
      const [failed] = split(FailedRoom, payload.failed ?? []);
      const users = readable(payload.users ?? {}, (id, user) => v.is(Users, { [id]: user }));
      return { ...payload, rooms, failed: [...failed, ...bad.flatMap(failedOf)], users };
    }
    case 'room':
      return payload.room === undefined || v.is(Room, payload.room)
        ? payload
        : { failed: failedOf(payload.room)[0] };
    case 'heads':
      return readable(payload, (room, head) => v.is(Heads, { [room]: head }));
    default:
      return payload;
  }
}

function split(schema: v.GenericSchema, list: unknown): [good: unknown[], bad: unknown[]] {
  const all = Array.isArray(list) ? list : [];
  const isGood = all.map((each) => v.is(schema, each));
  return [all.filter((_, i) => isGood[i]), all.filter((_, i) => !isGood[i])];
}

function failedOf(room: unknown): unknown[] {
  console.warn('the description of a room could not be read', room);
  return isRecord(room) ? [{ id: room.id, error: UNREADABLE }].filter((each) => v.is(FailedRoom, each)) : [];
}

function readable(record: unknown, isReadable: (key: string, value: unknown) => boolean): unknown {
  if (!isRecord(record)) return {};
  return Object.fromEntries(Object.entries(record).filter((each) => isReadable(...each)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

const UNREADABLE = {
  code: 'unreadable',
  message: "The server's description of this room could not be read.",
};

export function readAnswer<Name extends AnsweredName>(name: Name, raw: unknown): Acknowledgement<Name> {
  const parsed = v.safeParse(v.union([answers[name], Refusal]) as v.GenericSchema, raw);
  if (parsed.success) return parsed.output as Acknowledgement<Name>;
  console.warn(`an answer to \`${name}\` could not be read: ${v.summarize(parsed.issues)}`);
  return { ok: false, error: { code: 'unreadable', message: 'The answer could not be read.' } };
}

/** The `data` of a `connect_error`, if a server of ours sent it. */
export function readRefusal(data: unknown): { code: string; retryAfter?: number | undefined } | undefined {
  const refusal = v.safeParse(HandshakeRefusal, data);
  return refusal.success ? refusal.output : undefined;
}

const HandshakeRefusal = v.looseObject({ code: v.string(), retryAfter: v.optional(v.number()) });
