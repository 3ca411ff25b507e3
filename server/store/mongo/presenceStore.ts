/** When people were here last, and who hides it. */
import type { AnyBulkWriteOperation } from 'mongodb';
import type { PresenceStore, Seen } from '../port.ts';
import { bulkUpsert } from './base/bulkUpsert.ts';
import type { Collections, PresenceDocument } from './base/collections.ts';

export function presenceOn({ presence }: Pick<Collections, 'presence'>): PresenceStore {
  return {
    async seen(users) {
      // of those who hide it the document exists and does not match: a duplicate key
      const failed = await bulkUpsert(
        presence,
        users.map((one) => raise(one, true)),
      );
      // another process may have inserted it at the same moment
      await bulkUpsert(
        presence,
        failed.map((index) => raise(users[index]!, false)),
      );
    },
    async of(users) {
      const found = await presence.find({ _id: { $in: [...users] } }).toArray();
      return new Map(
        found.map(({ _id, seenAt, hides = false, hidesReads }) => [
          _id,
          { hides, seenAt, ...(hidesReads && { hidesReads }) },
        ]),
      );
    },
    async hideReads(user, hidesReads) {
      await presence.updateOne({ _id: user }, { $set: { hidesReads } }, { upsert: true });
    },
    async hide(user, hides) {
      await presence.updateOne({ _id: user }, { $set: { hides } }, { upsert: true });
    },
  };
}

function raise({ user, at }: Seen, upsert: boolean): AnyBulkWriteOperation<PresenceDocument> {
  const filter = { _id: user, hides: { $ne: true } };
  return { updateOne: { filter, update: { $max: { seenAt: at } }, upsert } };
}
