/**
 * Bounds what is held for clients that are not authenticated, by address and in all. Beyond a bound the oldest is closed: of
 * the same address, or in all of the address that has most. So an attacker with one address pushes out only their own.
 */
export interface Strangers<T> {
  add(address: string, stranger: T): void;
  /** It was authenticated, or is gone. Does nothing where it is not held. */
  remove(address: string, stranger: T): void;
}

interface Options<T> {
  /** Infinite where addresses say nothing. */
  ofAddress: number;
  inAll: number;
  /** Called for one that is removed because of a bound. */
  evict: (stranger: T) => void;
}

export function createStrangers<T>({ ofAddress, inAll, evict }: Options<T>): Strangers<T> {
  /** The oldest of each address first. */
  const held = new Map<string, Set<T>>();
  let count = 0;

  function remove(address: string, stranger: T): void {
    const those = held.get(address);
    if (!those?.delete(stranger)) return;
    count--;
    if (those.size === 0) held.delete(address);
  }

  function evictOldest(address: string): void {
    const oldest = held.get(address)!.values().next().value!;
    remove(address, oldest);
    evict(oldest);
  }

  return {
    add(address, stranger) {
      const those = held.get(address) ?? new Set();
      held.set(address, those.add(stranger));
      count++;
      if (those.size > ofAddress) evictOldest(address);
      else if (count > inAll) evictOldest(addressWithMost());
    },
    remove,
  };

  function addressWithMost(): string {
    let [most, size] = ['', 0];
    for (const [address, those] of held) if (those.size > size) [most, size] = [address, those.size];
    return most;
  }
}
