/** Asking keepers to be let back in, and what keepers do, over HTTP. */
import {
  ComeBackAsked,
  ComeBackState,
  type DevicesAnswer,
  PeopleAnswer,
  ServerState,
  WaitingRequests,
} from '../../shared/protocol/index.ts';
import { shownName } from '../../shared/text.ts';
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
    async people(name) {
      const path = `/api/people?name=${encodeURIComponent(name)}`;
      const result = await callApi(deps, 'GET', path, PeopleAnswer);
      if (!result.ok) return failedCall(result);
      const people = result.value.people.map(({ user, ...person }) => ({
        ...person,
        user: { ...user, name: shownName(user.name) },
      }));
      return { ok: true, people };
    },
    async devicesOf(id) {
      const result = await callApi<DevicesAnswer>(deps, 'GET', `/api/people/${id}/devices`, BODIES.devices);
      return result.ok ? { ok: true, devices: result.value.devices } : failedCall(result);
    },
    /** Ok also where it was signed out before: an earlier answer may have been lost. */
    async signOutDevice(person, device) {
      const path = `/api/people/${person}/devices/${device}`;
      const result = await callApi(deps, 'DELETE', path, BODIES.nothing);
      return result.ok || result.error.code === 'not-found' ? { ok: true } : failedCall(result);
    },
    async changePerson(id, change) {
      const result = await callApi(deps, 'PUT', `/api/people/${id}`, BODIES.nothing, change);
      if (result.ok) return { ok: true };
      const failed = failedCall(result);
      const isLast = change.keeper === false && failed.reason.code === 'conflict';
      return isLast ? { ok: false, reason: { code: 'last-keeper' } } : failed;
    },
    async server() {
      const result = await callApi<ServerState>(deps, 'GET', '/api/server', ServerState);
      if (!result.ok) return failedCall(result);
      const { freeBytes } = result.value;
      return { ok: true, ...(freeBytes !== undefined && { freeBytes }) };
    },
  };
}
