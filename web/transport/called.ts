import type { WireError } from '../../shared/protocol/index.ts';

/** What a call over HTTP gave. */
export type Called<T> = { ok: true; value: T } | { ok: false; error: WireError };

export const UNREACHABLE = {
  ok: false,
  error: { code: 'unreachable', message: 'The server cannot be reached.' },
} as const;
