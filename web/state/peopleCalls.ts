/** What a person does about who they are here, and invitations, over HTTP. */
import {
  InvitationAnswer,
  InvitationsAnswer,
  Invited,
  NameAnswer,
  type Report,
  ReportAnswer,
  ReportsAnswer,
  type User,
} from '../../shared/protocol/index.ts';
import { checkNewName, shownName } from '../../shared/text.ts';
import { BODIES } from '../transport/bodies.ts';
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
    async invite(room, terms) {
      const body = { room, ...terms };
      const result = await callApi(deps, 'POST', '/api/invitations', InvitationAnswer, body);
      if (!result.ok) return failedCall(result);
      const { token, code, invitation } = result.value;
      return { ok: true, made: { token, code, expiresAt: invitation.expiresAt } };
    },
    async invitations(room) {
      const path = room === undefined ? '/api/invitations' : `/api/invitations?room=${room}`;
      const result = await callApi(deps, 'GET', path, InvitationsAnswer);
      if (!result.ok) return failedCall(result);
      const invitations = result.value.invitations.map(({ by, ...one }) => ({
        ...one,
        by: { name: shownName(by.name) },
      }));
      return { ok: true, invitations };
    },
    async revokeInvitation(id) {
      const result = await callApi(deps, 'DELETE', `/api/invitations/${id}`, BODIES.nothing);
      return result.ok ? { ok: true } : failedCall(result);
    },
    async lookAtInvitation(invite) {
      const path = '/api/invitations/look';
      const result = await callApi(deps, 'POST', path, Invited, { invite });
      if (!result.ok) return failedCall(result);
      const { room, by, newcomers } = result.value;
      const invited = { room: { ...room, name: shownName(room.name) }, by: shownName(by.name), newcomers };
      return { ok: true, invited };
    },
    async report(what, reason) {
      const body = { ...what, ...(reason.trim() !== '' && { reason }) };
      const result = await callApi(deps, 'POST', '/api/reports', BODIES.nothing, body);
      return result.ok ? { ok: true } : failedCall(result);
    },
    async reports(room) {
      const path = room === undefined ? '/api/reports' : `/api/reports?room=${room}`;
      const result = await callApi(deps, 'GET', path, ReportsAnswer);
      return result.ok ? { ok: true, reports: result.value.reports.map(shownReport) } : failedCall(result);
    },
    async readReport(id) {
      const result = await callApi(deps, 'GET', `/api/reports/${id}`, ReportAnswer);
      if (!result.ok) return failedCall(result);
      const { report, messages, mayDelete } = result.value;
      const shown = messages.map((one) => ({ ...one, author: shownUser(one.author) }));
      return { ok: true, report: shownReport(report), messages: shown, mayDelete };
    },
    /** Ok also where somebody else has closed it. */
    async closeReport(id) {
      const result = await callApi(deps, 'DELETE', `/api/reports/${id}`, BODIES.nothing);
      return result.ok || result.error.code === 'not-found' ? { ok: true } : failedCall(result);
    },
  };
}

function shownReport(report: Report): Report {
  return { ...report, by: shownUser(report.by), about: shownUser(report.about) };
}

function shownUser(user: User): User {
  return { ...user, name: shownName(user.name) };
}
