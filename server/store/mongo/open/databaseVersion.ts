/**
 * The least version of Holdfast that may use a database. An operator may raise it while processes run (maintenance.ts), so
 * each process reads it again periodically; a process that is too old for the database then refuses all calls.
 */
import type { Logger } from 'pino';
import {
  type Collections,
  META_ID,
  type MetaDocument,
  VERSION,
  VERSION_OF_NEW_KINDS,
  VERSION_OF_OWN_DEVICES,
} from '../base/collections.ts';
import type { Address } from './address.ts';
import { MIGRATION_STEPS } from './migrate.ts';
import { stillBeingFilled, writtenByNewer } from './unusable.ts';

/** Throws `Unusable` where processes of this version may not use the database any more. */
export function refuseNewer(meta: MetaDocument, address: Pick<Address, 'hosts' | 'database'>): void {
  if (meta.filling) throw stillBeingFilled(address);
  if (leastVersion(meta) > VERSION) throw writtenByNewer(address);
}

/** The least version that a process must have to use this database. */
export function leastVersion({ schemaVersion, minVersion = 1 }: MetaDocument): number {
  return Math.max(schemaVersion, minVersion);
}

export interface VersionWatch {
  takesNewKinds(): boolean;
  /** Whether devices are documents of their own: then no process runs that looks for them in user documents only. */
  hasOwnDevices(): boolean;
  /** The same, read from the database. */
  readHasOwnDevices(): Promise<boolean>;
  /** Whether devices of some users may still be in the user documents. */
  mayHaveEmbeddedDevices(): boolean;
  close(): void;
}

interface Deps {
  collections: Pick<Collections, 'meta'>;
  address: Pick<Address, 'hosts' | 'database'>;
  /** As it was when the database was opened. */
  meta: MetaDocument;
  guard: { pass(work: () => Promise<void>): Promise<void>; shut(reason: string): void };
  log: Pick<Logger, 'warn' | 'error'>;
}

/** All processes know a raised version within a minute. */
const EVERY_MS = 30_000;

export function watchVersion({ collections, address, meta, guard, log }: Deps): VersionWatch {
  let least = leastVersion(meta);
  let steps = meta.steps ?? 0;
  let timer: NodeJS.Timeout;
  checkLater();

  function checkLater(): void {
    timer = setTimeout(
      () => {
        checkLater();
        void guard.pass(check).catch(() => {}); // tried again later; other calls report that the database is away
      },
      EVERY_MS * (0.5 + Math.random()),
    ); // not all processes at once
  }

  async function check(): Promise<void> {
    const now = await collections.meta.findOne({ _id: META_ID });
    if (!now) return;
    if (least < VERSION && leastVersion(now) >= VERSION) log.warn('the upgrade is finished');
    least = leastVersion(now);
    steps = now.steps ?? 0;
    if (least <= VERSION) return;
    const { message } = writtenByNewer(address);
    log.error(message);
    guard.shut(message); // this process would misread new data, so it must neither serve nor write any
  }

  return {
    takesNewKinds: () => least >= VERSION_OF_NEW_KINDS,
    hasOwnDevices: () => least >= VERSION_OF_OWN_DEVICES,
    async readHasOwnDevices() {
      const now = await collections.meta.findOne({ _id: META_ID });
      return now !== null && leastVersion(now) >= VERSION_OF_OWN_DEVICES;
    },
    mayHaveEmbeddedDevices: () => steps < MIGRATION_STEPS.length,
    close: () => clearTimeout(timer),
  };
}
