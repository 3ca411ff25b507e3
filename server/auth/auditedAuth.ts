/** Records sign-ins, sign-outs and changes of the password in the audit log, also those that are refused. */
import { nameKey } from '../../shared/text.ts';
import type { Audit, AuditDetails, AuditEvent, OnLimit } from '../base/audit.ts';
import { toWireError } from '../base/refusal.ts';
import { addressKey } from '../limits/addressKey.ts';
import type { Auth } from './auth.ts';

export function auditedAuth(auth: Auth, { audit, onLimit }: { audit: Audit; onLimit: OnLimit }): Auth {
  /** Records `event` if `work` fails, and rejects as it does. */
  async function orRefused<T>(event: AuditEvent, details: AuditDetails, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const { code } = toWireError(error);
      if (code === 'rate-limited') onLimit(event, { user: details.user, address: details.address });
      audit.record(event, { ...details, code });
      throw error;
    }
  }

  return {
    ...auth,
    async signIn(request, client) {
      const details = { name: nameKey(request.name), address: addressKey(client) };
      const signedIn = await orRefused('sign-in', details, auth.signIn(request, client));
      const { user, device } = signedIn.session;
      audit.record(signedIn.isNew ? 'sign-up' : 'sign-in', { ...details, user: user.id, device: device.id });
      return signedIn;
    },
    async signOut(identity) {
      await auth.signOut(identity);
      audit.record('sign-out', { user: identity.user.id, device: identity.device });
    },
    async setPassword(identity, change, client) {
      const details = { user: identity.user.id, device: identity.device, address: addressKey(client) };
      await orRefused('password', details, auth.setPassword(identity, change, client));
      audit.record('password', details);
    },
  };
}
