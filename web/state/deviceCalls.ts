/**
 * The devices on which the user is signed in, and signing in on one more by a one-time pass, over HTTP. A chunk of its own:
 * only few screens need it.
 */
import {
  type CodeAnswer,
  type DevicesAnswer,
  RecoveryCodeAnswer,
  type SessionAnswer,
} from '../../shared/protocol/index.ts';
import type { LocalDatabase, SignedInHere } from '../db/local.ts';
import { exactReasonOf, type Reason } from '../records/errorReason.ts';
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';
import { BODIES, readBody } from '../transport/bodies.ts';
import { type HttpResult, httpCall } from '../transport/httpCall.ts';
import { isAnswer } from './account.ts';
import type { Deps } from './deps.ts';
import type { DeviceActions } from './model.ts';

export type DeviceDeps = Pick<Deps, 'fetch' | 'clock'>;

export function createDeviceCalls(deps: DeviceDeps): DeviceActions {
  return {
    async list() {
      const result = await callApi<DevicesAnswer>(deps, 'GET', '/api/devices', BODIES.devices);
      return result.ok ? { ok: true, devices: result.value.devices } : failedCall(result);
    },
    /** Ok also where it was signed out before: an earlier answer may have been lost. */
    async signOut(id) {
      const result = await callApi(deps, 'DELETE', `/api/devices/${id}`, BODIES.nothing);
      return result.ok || result.error.code === 'not-found' ? { ok: true } : failedCall(result);
    },
    async makeCode() {
      const result = await callApi<CodeAnswer>(deps, 'POST', '/api/code', BODIES.code);
      return result.ok ? { ok: true, ...result.value } : failedCall(result);
    },
    async makeRecoveryCode() {
      const result = await callApi<RecoveryCodeAnswer>(
        deps,
        'POST',
        '/api/recovery-code',
        RecoveryCodeAnswer,
      );
      return result.ok ? { ok: true, ...result.value } : failedCall(result);
    },
  };
}

/**
 * Signs in by a one-time pass or code. Where a user is signed in on this device, it changes nothing, and the session is theirs.
 * As at every sign-in, the claim is durable before it is sent: where the answer is lost, the same pass works again. Rejects
 * where the database fails.
 */
export async function signInByPass(
  deps: DeviceDeps,
  local: LocalDatabase,
  newId: () => string,
  pass: string,
): Promise<{ ok: true; session: SignedInHere } | { ok: false; reason: Reason }> {
  const stored = await local.session();
  if (stored) return { ok: true, session: stored };
  const claim = await local.claim(pass, newId());
  const body = { pass, claim, credential: 'cookie' };
  const result = await callApi<SessionAnswer>(deps, 'POST', '/api/session/pass', BODIES.signedIn, body);
  if (!result.ok) {
    if (isAnswer(result.error.code)) await local.dropClaim(pass);
    return failedCall(result);
  }
  const { user, hasPassword, devices } = result.value;
  const session = { user, hasPassword, devices };
  await local.claim(user.name, claim); // by which the cookie is renewed if the browser loses it
  await local.signIn(session);
  await local.dropClaim(pass);
  return { ok: true, session };
}

/** One request with the cookie of this browser. Never rejects. */
export async function callApi<T>(
  { fetch, clock }: DeviceDeps,
  method: string,
  path: string,
  schema: Parameters<typeof readBody<T>>[0],
  body?: unknown,
): Promise<HttpResult<T>> {
  const abort = new AbortController();
  const timer = clock.setTimeout(() => abort.abort(), CONNECT_WITHIN_MS);
  const result = await httpCall({ fetch, method, path, body, signal: abort.signal }, (ok, text) =>
    readBody(schema, ok, text),
  );
  clock.clearTimeout(timer);
  return result;
}

/** For the screen. */
export function failedCall({ error }: Extract<HttpResult<unknown>, { ok: false }>) {
  return { ok: false, reason: exactReasonOf(error) } as const;
}
