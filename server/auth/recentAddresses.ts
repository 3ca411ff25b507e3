/**
 * The addresses where each user was lately: where a password was right, or a token of one of their devices was used. They
 * have limits of their own for wrong passwords (signInLimits.ts). In the memory of this process: after a restart, devices
 * bring the addresses back when they connect.
 *
 * Bounded: of a user the 8 newest addresses, of at most 20,000 users; the user who was seen least recently is forgotten. So
 * who makes 20,000 users (an address makes 60 a minute) can make the server forget the addresses of people who do not use
 * it meanwhile; that leaves them with what strangers have.
 */
import { RECENT_ADDRESS_LIFETIME_MS, RECENT_ADDRESS_USERS, RECENT_ADDRESSES } from '../base/serverLimits.ts';
import { addressKey } from '../limits/addressKey.ts';

export interface RecentAddresses {
  add(user: string, address: string): void;
  has(user: string, address: string): boolean;
}

/** `now`: a monotonic clock in milliseconds. */
export function createRecentAddresses(now: () => number): RecentAddresses {
  // Both maps: least recently used first, since every use inserts the key again.
  const users = new Map<string, Map<string, number>>();
  return {
    add(user, address) {
      const addresses = users.get(user) ?? new Map<string, number>();
      const key = addressKey(address);
      addresses.delete(key);
      addresses.set(key, now());
      if (addresses.size > RECENT_ADDRESSES) addresses.delete(addresses.keys().next().value!);
      users.delete(user);
      users.set(user, addresses);
      if (users.size > RECENT_ADDRESS_USERS) users.delete(users.keys().next().value!);
    },
    has(user, address) {
      const seen = users.get(user)?.get(addressKey(address));
      return seen !== undefined && now() - seen < RECENT_ADDRESS_LIFETIME_MS;
    },
  };
}
