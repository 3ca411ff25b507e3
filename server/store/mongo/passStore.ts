/** One-time passes. A pass changes by single writes of its document, each of which may be repeated. */
import type { UserStore } from '../port.ts';
import type { Collections } from './base/collections.ts';
import { isDuplicate } from './base/faults.ts';

export function passesOn({ passes }: Pick<Collections, 'passes'>): Pick<UserStore, 'addPass' | 'takePass'> {
  return {
    async addPass({ hash, ...pass }, keep) {
      const { user, kind, createdAt } = pass;
      await passes.deleteMany({ expiresAt: { $lte: createdAt } });
      try {
        await passes.insertOne({ _id: hash, ...pass });
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
      const older = await passes
        .find({ user, kind, _id: { $ne: hash } })
        .sort({ createdAt: -1 })
        .skip(keep - 1)
        .project<{ _id: string }>({ _id: 1 })
        .toArray();
      if (older.length > 0) await passes.deleteMany({ _id: { $in: older.map(({ _id }) => _id) } });
      return true;
    },
    async takePass(hash, claimHash, at) {
      const taken = await passes.findOneAndUpdate(
        { _id: hash, expiresAt: { $gt: at }, claimHash: { $in: [null, claimHash] } } as object,
        { $set: { claimHash } },
        { projection: { _id: 0, user: 1, device: 1, kind: 1 } },
      );
      return taken ?? undefined;
    },
  };
}
