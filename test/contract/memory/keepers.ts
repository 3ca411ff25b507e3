/** Keepers, the requests to come back, and suspensions, in memory. */
import type { ComeBackRequest, KeeperStore } from '../../../server/store/port.ts';
import type { MemoryData } from './data.ts';

export function keepersIn(data: MemoryData, call: <T>(work: () => T) => Promise<T>): KeeperStore {
  const at = (hash: string, time: number) => {
    const request = data.requests.get(hash);
    return request && request.expiresAt > time ? request : undefined;
  };
  return {
    add: (user, since) => call(() => void data.keepers.set(user, data.keepers.get(user) ?? since)),
    remove: (user) => call(() => data.keepers.size > 1 && data.keepers.delete(user)),
    all: () => call(() => [...data.keepers].toSorted(([, a], [, b]) => a - b).map(([user]) => user)),
    suspend: (user) => call(() => void data.suspended.add(user)),
    lift: (user) => call(() => void data.suspended.delete(user)),
    suspended: () => call(() => [...data.suspended]),
    firstUser: () =>
      call(
        () =>
          [...data.users.values()].toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))[0]
            ?.id,
      ),
    addRequest: (request) =>
      call(() => {
        for (const { hash, expiresAt } of [...data.requests.values()])
          if (expiresAt <= request.createdAt) data.requests.delete(hash);
        data.requests.set(request.hash, { ...request, state: 'waiting' });
      }),
    requests: (time) =>
      call(() =>
        [...data.requests.values()]
          .filter(({ state, expiresAt }) => state === 'waiting' && expiresAt > time)
          .toSorted((a, b) => a.createdAt - b.createdAt)
          .map(withoutState),
      ),
    requestState: (hash, time) => call(() => at(hash, time)?.state),
    decide: (hash, state, time) =>
      call(() => {
        const request = at(hash, time);
        if (!request || (request.state !== 'waiting' && request.state !== state)) return undefined;
        request.state = state;
        return withoutState(request);
      }),
  };
}

function withoutState({ hash, user, number, createdAt, expiresAt }: ComeBackRequest): ComeBackRequest {
  return { hash, user, number, createdAt, expiresAt };
}
