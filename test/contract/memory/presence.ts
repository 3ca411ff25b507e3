/** When people were here last, and who hides it, in memory. */
import type { PresenceStore } from '../../../server/store/port.ts';
import type { MemoryData } from './data.ts';

export function presenceIn(data: MemoryData, call: <T>(work: () => T) => Promise<T>): PresenceStore {
  return {
    seen: (users) =>
      call(() => {
        for (const { user, at } of users) {
          const { hides = false, seenAt = 0 } = data.presence.get(user) ?? {};
          if (!hides) data.presence.set(user, { hides, seenAt: Math.max(seenAt, at) });
        }
      }),
    of: (users) =>
      call(
        () =>
          new Map(
            users.flatMap((user) => {
              const record = data.presence.get(user);
              return record ? [[user, { ...record }] as const] : [];
            }),
          ),
      ),
    hide: (user, hides) =>
      call(() => void data.presence.set(user, { seenAt: data.presence.get(user)?.seenAt, hides })),
  };
}
