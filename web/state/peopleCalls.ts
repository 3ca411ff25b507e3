/** What a person does about who they are here, over HTTP. */
import { NameAnswer } from '../../shared/protocol/index.ts';
import { checkNewName } from '../../shared/text.ts';
import { callApi, type DeviceDeps, failedCall } from './deviceCalls.ts';
import type { PeopleActions } from './model.ts';

export function createPeopleCalls(deps: DeviceDeps): PeopleActions {
  return {
    /** The connection brings the new name to the screen, as it does everybody's. */
    async rename(raw) {
      if (raw.trim() === '') return { ok: false, reason: { code: 'empty' } };
      const name = checkNewName(raw);
      if (!name.ok) return { ok: false, reason: { code: name.code, message: name.message } };
      const body = { name: name.text };
      const result = await callApi(deps, 'PUT', '/api/name', NameAnswer, body);
      if (result.ok) return { ok: true };
      const { reason } = failedCall(result);
      const { retryAfter } = result.error;
      return { ok: false, reason: retryAfter === undefined ? reason : { ...reason, retryAfter } };
    },
  };
}
