/** Moves devices out of the documents of their users (embeddedDevices.ts) into documents of their own (deviceStore.ts). */
import { bulkUpsert } from '../base/bulkUpsert.ts';
import { type Collections, type DeviceDocument, META_ID, type UserDocument } from '../base/collections.ts';
import { deviceDocument } from './deviceStore.ts';

type UserWithDevices = Pick<UserDocument, '_id' | 'devices'>;

/**
 * Moves the devices of these users into documents of their own. Does no harm where it runs several times or concurrently, or
 * the process dies on the way. A device counts as seen now, where nobody noted when it was.
 *
 * Each attempt has a number, greater than all before. It marks the users with it, copies their lists, and then removes the
 * lists, where they are still the same and no later attempt has marked the user. A copy is replaced by later attempts only. So
 * when a list is removed, the copies are those of this list.
 */
export async function moveDevices(
  { users, devices, meta }: Pick<Collections, 'users' | 'devices' | 'meta'>,
  ids: readonly string[],
): Promise<void> {
  for (let left = ids; left.length > 0; ) {
    const attempt = await nextAttempt();
    const embedded = { _id: { $in: [...left] }, devices: { $exists: true } };
    await users.updateMany(embedded, { $max: { moving: attempt } });
    const mine = await users
      .find({ ...embedded, moving: attempt })
      .project<UserWithDevices>({ devices: 1 })
      .toArray();
    await devices.deleteMany({ user: { $in: mine.map(({ _id }) => _id) }, staged: { $lt: attempt } });
    await stage(
      mine.flatMap((user) => copiesOf(user, attempt)),
      attempt,
    );
    const removals = mine.map((user) => ({
      updateOne: {
        filter: { _id: user._id, devices: user.devices!, moving: attempt },
        update: { $unset: { devices: '', moving: '' } } as const,
      },
    }));
    if (removals.length > 0) await users.bulkWrite(removals, { ordered: false });
    const kept = await users.find(embedded).project<{ _id: string }>({ _id: 1 }).toArray(); // changed meanwhile
    const changed = new Set(kept.map(({ _id }) => _id));
    const moved = left.filter((id) => !changed.has(id));
    await devices.updateMany({ user: { $in: moved }, staged: { $exists: true } }, { $unset: { staged: '' } });
    left = [...changed];
  }

  async function nextAttempt(): Promise<number> {
    const counted = await meta.findOneAndUpdate(
      { _id: META_ID },
      { $inc: { deviceMoves: 1 } },
      { returnDocument: 'after', projection: { deviceMoves: 1 } },
    );
    return counted!.deviceMoves!;
  }

  async function stage(copies: readonly DeviceDocument[], attempt: number): Promise<void> {
    const inserts = copies.map((document) => ({ insertOne: { document } }));
    const refused = await bulkUpsert(devices, inserts);
    // copied by a concurrent attempt; or moved already, or signed out since: then that document stays
    for (const index of refused) {
      const copy = copies[index]!;
      const { claimHash: _, ...unclaimed } = copy; // where another device has the claim
      if (!(await replace(copy, attempt))) await replace(unclaimed, attempt);
    }
  }

  /** False for a duplicate. */
  async function replace({ _id, ...replacement }: DeviceDocument, attempt: number): Promise<boolean> {
    const filter = { _id, staged: { $lt: attempt } };
    const refused = await bulkUpsert(devices, [{ replaceOne: { filter, replacement, upsert: true } }]);
    return refused.length === 0;
  }
}

/** A claim finds the newest device that was made with it. */
function copiesOf({ _id: user, devices = [] }: UserWithDevices, attempt: number): DeviceDocument[] {
  const claims = new Set<string>();
  return devices.toReversed().map(({ claimHash, ...device }) => {
    const { claimHash: _, ...copy } = deviceDocument({
      claimHash,
      ...device,
      user,
      seenAt: device.seenAt ?? Date.now(),
    });
    const isNewest = !claims.has(claimHash);
    claims.add(claimHash);
    return { ...copy, ...(isNewest && { claimHash }), staged: attempt };
  });
}
