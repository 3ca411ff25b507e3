/** Asking keepers to be let back in, and what keepers do, over HTTP. */
import { ComeBackAsked, ComeBackState, WaitingRequests } from '../../shared/protocol/index.ts';
import { BODIES } from '../transport/bodies.ts';
import { callApi, type DeviceDeps, failedCall } from './deviceCalls.ts';
import type { KeeperActions } from './model.ts';

export function createKeeperCalls(deps: DeviceDeps): KeeperActions {
  return {
    async ask(name) {
      const result = await callApi<ComeBackAsked>(deps, 'POST', '/api/come-back', ComeBackAsked, {
        name,
      });
      if (result.ok) return { ok: true, ...result.value };
      const { reason } = result.error;
      return reason === 'no-keeper' ? { ok: false, reason: { code: reason } } : failedCall(result);
    },
    async stateOf(request) {
      const path = '/api/come-back/state';
      const result = await callApi<ComeBackState>(deps, 'POST', path, ComeBackState, { request });
      return result.ok ? { ok: true, ...result.value } : failedCall(result);
    },
    async become() {
      const result = await callApi(deps, 'POST', '/api/keeper', BODIES.nothing);
      return result.ok ? { ok: true } : failedCall(result);
    },
    async requests() {
      const result = await callApi<WaitingRequests>(deps, 'GET', '/api/come-back', WaitingRequests);
      return result.ok ? { ok: true, ...result.value } : failedCall(result);
    },
    async decide(id, approve, signOutOthers) {
      const decision = { approve, signOutOthers };
      const result = await callApi(deps, 'PUT', `/api/come-back/${id}`, BODIES.nothing, decision);
      return result.ok ? { ok: true } : failedCall(result);
    },
  };
}
