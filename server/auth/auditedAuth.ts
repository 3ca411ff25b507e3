/** Records sign-ins, one-time passes, recovery codes, sign-outs, removed devices and changes of the password in the audit log, also those that are refused. */
import { checkName, nameKey } from '../../shared/text.ts';
import type { Audit, AuditDetails, AuditEvent } from '../base/audit.ts';
import { toWireError } from '../base/refusal.ts';
import { addressKey } from '../limits/addressKey.ts';
import type { Auth } from './auth.ts';

export function auditedAuth(auth: Auth, audit: Pick<Audit, 'record'>): Auth {
  /** Records `event` if `work` fails, and rejects as it does. */
  async function orRefused<T>(event: AuditEvent, details: AuditDetails, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      audit.record(event, { ...details, code: toWireError(error).code });
      throw error;
    }
  }

  return {
    ...auth,
    async signIn(request, client) {
      // The key of a long name costs 70 ms. One that is too long to be a name is nobody's.
      const name = checkName(request.name);
      const details = { name: name.ok ? nameKey(name.text) : undefined, address: addressKey(client) };
      const event = request.recovery === undefined ? 'sign-in' : 'recovery-used';
      const signedIn = await orRefused(event, details, auth.signIn(request, client));
      const { user, device } = signedIn.session;
      audit.record(signedIn.isNew ? 'sign-up' : event, { ...details, user: user.id, device: device.id });
      return signedIn;
    },
    async makeRecoveryCode(identity) {
      const details = { user: identity.user.id, device: identity.device };
      const code = await orRefused('recovery-made', details, auth.makeRecoveryCode(identity));
      audit.record('recovery-made', details);
      return code;
    },
    async makePass(identity, kind) {
      const details = { user: identity.user.id, device: identity.device };
      const made = await orRefused('pass-made', details, auth.makePass(identity, kind));
      audit.record('pass-made', details);
      return made;
    },
    async signInByPass(request, client) {
      const address = addressKey(client);
      const signedIn = await orRefused('pass-used', { address }, auth.signInByPass(request, client));
      const { user, device } = signedIn.session;
      audit.record('pass-used', { user: user.id, device: device.id, address });
      return signedIn;
    },
    async signOut(identity) {
      await auth.signOut(identity);
      audit.record('sign-out', { user: identity.user.id, device: identity.device });
    },
    async removeDevice(identity, device) {
      const details = { user: identity.user.id, device };
      await orRefused('device-removed', details, auth.removeDevice(identity, device));
      audit.record('device-removed', details);
    },
    async setPassword(identity, change, client) {
      const details = { user: identity.user.id, device: identity.device, address: addressKey(client) };
      await orRefused('password', details, auth.setPassword(identity, change, client));
      audit.record('password', details);
    },
  };
}
