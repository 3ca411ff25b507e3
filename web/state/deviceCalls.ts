/** The devices on which the user is signed in, over HTTP. A chunk of its own: only their sheet needs it. */
import type { DevicesAnswer } from '../../shared/protocol/index.ts';
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';
import { BODIES, readBody } from '../transport/bodies.ts';
import { type HttpResult, httpCall } from '../transport/httpCall.ts';
import type { Deps } from './deps.ts';
import type { DeviceActions } from './model.ts';

type DeviceDeps = Pick<Deps, 'fetch' | 'clock'>;

export function createDeviceCalls(deps: DeviceDeps): DeviceActions {
  return {
    async list() {
      const result = await call<DevicesAnswer>(deps, 'GET', '/api/devices', BODIES.devices);
      return result.ok ? { ok: true, devices: result.value.devices } : failed(result);
    },
    /** Ok also where it was signed out before: an earlier answer may have been lost. */
    async signOut(id) {
      const result = await call(deps, 'DELETE', `/api/devices/${id}`, BODIES.nothing);
      return result.ok || result.error.code === 'not-found' ? { ok: true } : failed(result);
    },
  };
}

async function call<T>(
  { fetch, clock }: DeviceDeps,
  method: string,
  path: string,
  schema: Parameters<typeof readBody<T>>[0],
): Promise<HttpResult<T>> {
  const abort = new AbortController();
  const timer = clock.setTimeout(() => abort.abort(), CONNECT_WITHIN_MS);
  const result = await httpCall({ fetch, method, path, signal: abort.signal }, (ok, text) =>
    readBody(schema, ok, text),
  );
  clock.clearTimeout(timer);
  return result;
}

function failed({ error: { code, message } }: Extract<HttpResult<unknown>, { ok: false }>) {
  return { ok: false, reason: { code, message } } as const;
}
