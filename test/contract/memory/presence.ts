/** When people were here last, and who hides it, in memory. */
import type { PresenceStore } from '../../../server/store/port.ts';
import type { MemoryData } from './data.ts';

export function presenceIn(data: MemoryData, call: <T>(work: () => T) => Promise<T>): PresenceStore {
  return {
    seen: (users) =>
      call(() => {
        for (const { user, at } of users) {
          const record = data.presence.get(user) ?? { hides: false, seenAt: 0 };
          const seenAt = Math.max(record.seenAt ?? 0, at);
          if (!record.hides) data.presence.set(user, { ...record, seenAt });
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
      call(() => void data.presence.set(user, { seenAt: undefined, ...data.presence.get(user), hides })),
    hideReads: (user, hides) =>
      call(() => {
        const { hidesReads: _, ...record } = data.presence.get(user) ?? { hides: false, seenAt: undefined };
        data.presence.set(user, { ...record, ...(hides && { hidesReads: true }) });
      }),
  };
}
