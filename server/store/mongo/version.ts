/**
 * Which versions of Holdfast use this database: asked again and again, since an operator may raise the least one while
 * the processes run (finishUpgrade.ts).
 */
import type { Logger } from 'pino';
import type { Gate } from './gate.ts';
import { leastVersion } from './prepare.ts';
import { type Collections, META_ID, type MetaDocument, VERSION } from './schema.ts';
import { type Address, newer } from './unusable.ts';

export interface VersionWatch {
  takesNewKinds(): boolean;
  close(): void;
}

interface Deps {
  collections: Pick<Collections, 'meta'>;
  at: Address;
  /** As the database said when it was opened. */
  meta: MetaDocument;
  gate: Pick<Gate, 'pass' | 'shut'>;
  log: Pick<Logger, 'warn' | 'error'>;
}

/** A raised version is known within a minute, by all processes. */
const EVERY_MS = 30_000;

export function watchVersion({ collections, at, meta, gate, log }: Deps): VersionWatch {
  let least = leastVersion(meta);
  let timer: NodeJS.Timeout;
  lookLater();

  function lookLater(): void {
    timer = setTimeout(
      () => {
        lookLater();
        void gate.pass(ask).catch(() => {}); // it is asked again; others say that the database is away
      },
      EVERY_MS * (0.5 + Math.random()),
    ); // not all processes at once
  }

  async function ask(): Promise<void> {
    const now = await collections.meta.findOne({ _id: META_ID });
    if (!now) return;
    if (least < VERSION && leastVersion(now) >= VERSION)
      log.warn('the upgrade is finished: entries of all kinds are taken');
    least = leastVersion(now);
    if (least <= VERSION) return;
    const { message } = newer(at);
    log.error(message);
    gate.shut(message); // what this process would misread must not be served, nor written beside
  }

  return {
    takesNewKinds: () => least >= VERSION,
    close: () => clearTimeout(timer),
  };
}
