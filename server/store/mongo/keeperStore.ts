/** Keepers, the requests to come back, and suspensions. A request changes by single writes of its document. */
import type { ComeBackRequest, KeeperStore } from '../port.ts';
import type { Collections, RequestDocument } from './base/collections.ts';

export function keepersOn({
  users,
  keepers,
  requests,
  suspensions,
}: Pick<Collections, 'users' | 'keepers' | 'requests' | 'suspensions'>): KeeperStore {
  return {
    async add(user, at) {
      await keepers.updateOne({ _id: user }, { $setOnInsert: { since: at } }, { upsert: true });
    },
    async remove(user) {
      const removed = await keepers.findOneAndDelete({ _id: user });
      if (!removed) return false;
      if (await keepers.findOne()) return true;
      // the last one, or each other's: whoever took the role gives it back
      await keepers.updateOne({ _id: user }, { $setOnInsert: { since: removed.since } }, { upsert: true });
      return false;
    },
    async all() {
      const found = await keepers.find().sort({ since: 1, _id: 1 }).toArray();
      return found.map(({ _id }) => _id);
    },
    async suspend(user, at) {
      await suspensions.updateOne({ _id: user }, { $setOnInsert: { since: at } }, { upsert: true });
    },
    async lift(user) {
      await suspensions.deleteOne({ _id: user });
    },
    async suspended() {
      const found = await suspensions.find().toArray();
      return found.map(({ _id }) => _id);
    },
    async firstUser() {
      const [first] = await users
        .find()
        .sort({ createdAt: 1, _id: 1 })
        .limit(1)
        .project<{ _id: string }>({ _id: 1 })
        .toArray();
      return first?._id;
    },
    async addRequest({ hash, ...request }) {
      await requests.deleteMany({ expiresAt: { $lte: request.createdAt } });
      await requests.updateOne(
        { _id: hash },
        { $setOnInsert: { ...request, state: 'waiting' } },
        { upsert: true }, // a write that the driver repeats
      );
    },
    async requests(at) {
      const found = await requests
        .find({ state: 'waiting', expiresAt: { $gt: at } })
        .sort({ createdAt: 1, _id: 1 })
        .toArray();
      return found.map(requestOf);
    },
    async requestState(hash, at) {
      return (await requests.findOne({ _id: hash, expiresAt: { $gt: at } }))?.state;
    },
    async decide(hash, state, at) {
      const decided = await requests.findOneAndUpdate(
        { _id: hash, state: { $in: ['waiting', state] }, expiresAt: { $gt: at } },
        { $set: { state } },
      );
      return decided ? requestOf(decided) : undefined;
    },
  };
}

function requestOf({ _id, user, number, createdAt, expiresAt }: RequestDocument): ComeBackRequest {
  return { hash: _id, user, number, createdAt, expiresAt };
}
