/** Moves devices out of the documents of their users (embeddedDevices.ts) into documents of their own (deviceStore.ts). */
import { bulkUpsert } from '../base/bulkUpsert.ts';
import type { Collections, DeviceDocument, UserDocument } from '../base/collections.ts';
import { deviceDocument } from './deviceStore.ts';

export type UserWithDevices = Pick<UserDocument, '_id' | 'devices'>;

/**
 * Moves the devices of these users into documents of their own. Does no harm where it runs several times or concurrently, or
 * the process dies on the way. A device counts as seen now, where nobody noted when it was.
 */
export async function moveDevices(
  { users, devices }: Pick<Collections, 'users' | 'devices'>,
  some: readonly UserWithDevices[],
): Promise<void> {
  for (let left = some; left.length > 0; ) {
    const ids = left.map(({ _id }) => _id);
    const copies = left.flatMap(copiesOf);
    // of an earlier attempt: signed out since
    const copied = copies.map(({ _id }) => _id);
    await devices.deleteMany({ user: { $in: ids }, staged: true, _id: { $nin: copied } });
    await stage(copies);
    await users.bulkWrite(
      left.map(({ _id, devices: its }) => ({
        updateOne: { filter: { _id, devices: its! }, update: { $unset: { devices: '' } } },
      })),
      { ordered: false },
    );
    left = await users // their devices have changed meanwhile
      .find({ _id: { $in: ids }, devices: { $exists: true } })
      .project<UserWithDevices>({ devices: 1 })
      .toArray();
    const changed = new Set(left.map(({ _id }) => _id));
    const moved = ids.filter((id) => !changed.has(id));
    await devices.updateMany({ user: { $in: moved }, staged: true }, { $unset: { staged: '' } });
  }

  async function stage(copies: readonly DeviceDocument[]): Promise<void> {
    const inserts = copies.map((document) => ({ insertOne: { document } }));
    const refused = await bulkUpsert(devices, inserts);
    // copied by an earlier attempt; or moved already, or signed out since: then that document stays
    for (const index of refused) {
      const copy = copies[index]!;
      const { claimHash: _, ...unclaimed } = copy; // where another device has the claim
      if (!(await replace(copy))) await replace(unclaimed);
    }
  }

  /** False for a duplicate. */
  async function replace({ _id, ...replacement }: DeviceDocument): Promise<boolean> {
    const filter = { _id, staged: true } as const;
    const refused = await bulkUpsert(devices, [{ replaceOne: { filter, replacement, upsert: true } }]);
    return refused.length === 0;
  }
}

/** A claim finds the newest device that was made with it. */
function copiesOf({ _id: user, devices = [] }: UserWithDevices): DeviceDocument[] {
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
    return { ...copy, ...(isNewest && { claimHash }), staged: true };
  });
}
