import type { WireError } from '../../shared/protocol/index.ts';

/** Why an action failed, for the screen: an error code that web/i18n translates, and the server's message if there is one. */
export interface Reason {
  code: string;
  message?: string;
  /** In milliseconds: when it works again, where the server says it. */
  retryAfter?: number;
}

/** A `reason` of the error that people can act upon takes the place of its code. */
export function reasonOf({ code, message, reason }: WireError): Reason {
  return { code: reason === 'sign-up-closed' ? reason : code, message };
}
