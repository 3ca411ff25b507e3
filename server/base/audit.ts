/**
 * The audit log: one structured line (`audit: true`) per event that an operator looks for after an incident. A line has no
 * name, address, token or id: users, devices and addresses are keyed hashes. The key is random and lives as long as the
 * process, so equal hashes within one run mean the same person or address, and nobody can compute a hash afterwards. (The
 * epoch would be no key: every client is told it, and there are only 2^32 addresses to try.)
 *
 * A flood cannot fill the disk: each kind of line is written a bounded number of times per second; the others are counted,
 * and the count is one line (`count`) after that second.
 */
import { createHmac } from 'node:crypto';
import type { Logger } from './logger.ts';
import { AUDIT_DONE_PER_SECOND, AUDIT_REFUSED_PER_SECOND } from './serverLimits.ts';

/** `connection`: a handshake. `limit`: a request or connection above a limit. */
export type AuditEvent =
  | 'sign-in'
  | 'sign-up'
  | 'sign-out'
  | 'pass-made'
  | 'pass-used'
  | 'recovery-made'
  | 'recovery-used'
  | 'keeper-made'
  | 'keeper-removed'
  | 'renamed-by-keeper'
  | 'signed-out-by-keeper'
  | 'come-back-asked'
  | 'come-back-approved'
  | 'come-back-refused'
  | 'invitation-made'
  | 'invitation-used'
  | 'invitation-revoked'
  | 'suspended'
  | 'suspension-lifted'
  | 'report-made'
  | 'report-closed'
  | 'password'
  | 'device-removed'
  | 'operator'
  | 'operator-ended-socket'
  | 'connection'
  | 'limit';

export interface AuditDetails {
  /** The user's id. Logged as a hash. */
  user?: string | undefined;
  /** The key of the name that somebody signs in to, whether or not there is such a user. Logged as a hash. */
  name?: string | undefined;
  /** The device's id. Logged as a hash. */
  device?: string | undefined;
  /** The client's address, as `addressKey` returns it. Logged as a hash. */
  address?: string | undefined;
  /** Why it was refused: an error code of the protocol. Without a code the event took place. */
  code?: string | undefined;
  /** Which limit was exceeded: a constant, never anything that a client sent. */
  limit?: string | undefined;
}

export interface Audit {
  record(event: AuditEvent, details?: AuditDetails): void;
  /** Writes the counts that are pending. */
  flush(): void;
}

/** Called for each request or connection above a limit: counts it by the limit's name, and records who it was. */
export type OnLimit = (limit: string, who?: Pick<AuditDetails, 'user' | 'device' | 'address'>) => void;

interface AuditDeps {
  logger: Logger;
  /** False: nothing is written (the setting AUDIT_LOG). */
  isOn: boolean;
  /** 32 random bytes. */
  key: Uint8Array;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

export function createAudit({ logger, isOn, key, now }: AuditDeps): Audit {
  if (!isOn || logger.level === 'silent') return { record() {}, flush() {} };
  // At its own level: LOG_LEVEL=warn is about the other lines.
  const lines = logger.child({ audit: true }, { level: 'info' });
  const kinds = new Map<string, KindInSecond>();
  let second: { until: number; timer: NodeJS.Timeout } | undefined;

  function record(event: AuditEvent, { code, limit, ...who }: AuditDetails = {}): void {
    if (second !== undefined && now() >= second.until) flush();
    second ??= { until: now() + SECOND_MS, timer: setTimeout(flush, SECOND_MS).unref() };
    const outcome = code === undefined && limit === undefined ? 'done' : 'refused';
    const kind = { event, outcome, ...present({ code, limit }) };
    const name = Object.values(kind).join(' ');
    const counted = kinds.get(name) ?? { kind, written: 0, more: 0 };
    kinds.set(name, counted);
    if (counted.written >= (outcome === 'done' ? AUDIT_DONE_PER_SECOND : AUDIT_REFUSED_PER_SECOND)) {
      counted.more++;
      return;
    }
    counted.written++;
    lines.info({ ...kind, ...hashed(who) });
  }

  function flush(): void {
    clearTimeout(second?.timer);
    second = undefined;
    for (const { kind, more } of kinds.values()) if (more > 0) lines.info({ ...kind, count: more });
    kinds.clear();
  }

  function hashed(who: Omit<AuditDetails, 'code' | 'limit'>): Record<string, string> {
    const given = Object.entries(present({ ...who }));
    return Object.fromEntries(given.map(([field, text]) => [field, hash(`${field} ${text}`)]));
  }

  /** 64 bits: enough to tell people apart. */
  function hash(text: string): string {
    return createHmac('sha256', key).update(text).digest('hex').slice(0, 16);
  }

  return { record, flush };
}

/** The lines of one event, outcome, code and limit within the current second. */
interface KindInSecond {
  kind: Record<string, string>;
  written: number;
  /** How many lines were counted and not written. */
  more: number;
}

const SECOND_MS = 1_000;

function present(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}
