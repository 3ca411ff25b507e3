/**
 * Creates the users before the server starts: each with one device, all members of the lobby. Signing up that many users would
 * take minutes, because of the server's rate limits.
 */
import { randomBytes } from 'node:crypto';
import { hashToken, TOKEN_BYTES, tokenFrom } from '../../../server/auth/tokens.ts';
import { digestOf } from '../../../server/ingest/checkItem.ts';
import type { Store } from '../../../server/store/port.ts';
import { idFrom, LOBBY } from '../../../shared/mint.ts';
import type { Cursor } from '../../../shared/protocol/index.ts';
import { nameKey } from '../../../shared/text.ts';

export interface Member {
  id: string;
  name: string;
  token: string;
  /** The address of this machine from which the member connects. */
  address?: string;
}

export function membersFor(count: number): Member[] {
  return Array.from({ length: count }, (_, i) => ({
    id: newId(),
    name: `Member ${i + 1}`,
    token: tokenFrom(randomBytes(TOKEN_BYTES)),
  }));
}

/** Each with an address of their own, as people have: the server limits what comes from one address. Linux only. */
export function withOwnAddresses(members: readonly Member[]): Member[] {
  return members.map((member, i) => ({ ...member, address: `127.1.${i >> 8}.${i & 0xff}` }));
}

/** Resolves with the head of the room's log, where the benchmark begins. */
export async function seed(store: Pick<Store, 'users' | 'log'>, members: readonly Member[]): Promise<Cursor> {
  const createdAt = Date.now();
  for (let i = 0; i < members.length; i += TOGETHER) {
    await seedGroup(store, members.slice(i, i + TOGETHER), createdAt);
  }
  return [members.length, createdAt];
}

const TOGETHER = 25; // as many as a slow database can insert within the timeout of an append

async function seedGroup(
  { users, log }: Pick<Store, 'users' | 'log'>,
  members: readonly Member[],
  createdAt: number,
) {
  await Promise.all(
    members.map(({ id, name, token }) => {
      const device = { id: newId(), user: id, tokenHash: hashToken(token), claimHash: id, createdAt };
      return users.create({ id, name, nameKey: nameKey(name), createdAt }, device);
    }),
  );
  const joins = members.map(({ id }) => ({
    room: LOBBY,
    author: id,
    clientOffset: id,
    kind: 'join' as const,
  }));
  const entries = joins.map((join) => ({ ...join, digest: digestOf(join) }));
  const { stopped } = await log.append(entries, createdAt);
  if (stopped) throw stopped;
}

function newId(): string {
  return idFrom(randomBytes(16));
}
