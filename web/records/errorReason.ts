import type { WireError } from '../../shared/protocol/index.ts';

/** Why an action failed, for the screen: an error code that web/i18n translates, and the server's message if there is one. */
export interface Reason {
  code: string;
  message?: string;
}

export function reasonOf({ code, message }: WireError): Reason {
  return { code, message };
}
