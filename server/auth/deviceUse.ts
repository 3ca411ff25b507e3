/**
 * Records when devices were used, at most once a day each, and signs out those that nobody used for 400 days. Their owner
 * signed nobody out, so they are refused like any unknown device, and `wasSignedOut` is false for them.
 */
import { COOKIE_LIFETIME_S } from '../../shared/limits.ts';
import type { Logger } from '../base/logger.ts';
import { isUnexpected } from '../base/refusal.ts';
import {
  DEVICES_SEEN_AT_ONCE,
  DEVICES_SEEN_EVERY_MS,
  EXPIRED_AT_ONCE,
  EXPIRY_EVERY_MS,
} from '../base/serverLimits.ts';
import type { UserStore } from '../store/port.ts';

export interface DeviceUse {
  /** The device was used now. `seenAt`: what the store has. Written together with others, some seconds later. */
  seen(device: string, seenAt: number): void;
  /** True for a device that is expired, also where no sweep has removed it yet. */
  isExpired(seenAt: number): boolean;
  /** Starts the sweep. `inUse`: the devices that are connected to this process. */
  start(inUse: () => string[]): void;
  stop(): void;
}

interface DeviceUseDeps {
  store: Pick<UserStore, 'devicesSeen' | 'expireDevices'>;
  /** The wall clock in milliseconds. */
  now: () => number;
  logger: Pick<Logger, 'error'>;
}

export function createDeviceUse({ store, now, logger }: DeviceUseDeps): DeviceUse {
  let pending = new Set<string>();
  let writing: NodeJS.Timeout | undefined;
  let sweeping: NodeJS.Timeout | undefined;
  let stopped = false;

  async function write(): Promise<void> {
    writing = undefined;
    const devices = [...pending];
    pending = new Set();
    for (let i = 0; i < devices.length; i += DEVICES_SEEN_AT_ONCE)
      await store.devicesSeen(devices.slice(i, i + DEVICES_SEEN_AT_ONCE), now());
  }

  async function sweep(inUse: () => string[]): Promise<void> {
    for (const device of inUse()) pending.add(device); // a connection may be open for longer than a device may be unused
    await write();
    let removed: number;
    do {
      await new Promise<void>((resolve) => setTimeout(resolve, SLICE_PAUSE_MS).unref());
      if (stopped) return;
      removed = await store.expireDevices(now() - DEVICE_LIFETIME_MS, EXPIRED_AT_ONCE);
    } while (removed === EXPIRED_AT_ONCE);
  }

  /** What failed is done by the next use of a device, or by the next sweep. */
  function failed(error: unknown): void {
    if (isUnexpected(error)) logger.error({ err: error }, 'the use of devices could not be recorded');
  }

  return {
    seen(device, seenAt) {
      if (stopped || now() - seenAt < DAY_MS) return;
      pending.add(device);
      writing ??= setTimeout(() => void write().catch(failed), DEVICES_SEEN_EVERY_MS).unref();
    },
    isExpired: (seenAt) => now() - seenAt >= DEVICE_LIFETIME_MS,
    start(inUse) {
      // Not at once: where the clock of the machine is wrong after a start, there is time to set it.
      sweeping = setInterval(() => void sweep(inUse).catch(failed), EXPIRY_EVERY_MS).unref();
    },
    stop() {
      stopped = true;
      clearTimeout(writing);
      clearInterval(sweeping);
    },
  };
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const DEVICE_LIFETIME_MS = COOKIE_LIFETIME_S * 1_000;
/** Between two slices, so that other calls of the store go on. */
const SLICE_PAUSE_MS = 100;
