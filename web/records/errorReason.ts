import type { WireError } from '../../shared/protocol/index.ts';

/** Why an action failed, for the screen: an error code that web/i18n translates, and the server's message if there is one. */
export interface Reason {
  code: string;
  message?: string;
  /** In milliseconds: when it works again, where the server says it. */
  retryAfter?: number;
}

/** Of what is sent for the person: an item. A reason says more than its code: one was removed, or is not answered yet, or mentions a stranger. */
export function reasonOf({ code, message, reason }: WireError): Reason {
  return { code: reason ?? code, message };
}

/** The same for what people ask for themselves: a `reason` that they can act upon takes the place of the code. */
export function exactReasonOf({ code, message, reason }: WireError): Reason {
  return { code: reason && /^(sign-up|invitation|role|out|report)-/.test(reason) ? reason : code, message };
}
