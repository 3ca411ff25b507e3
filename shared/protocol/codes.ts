/** The codes of refusals, and what a client makes of them. */

export const ERROR_STATUS = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  'upgrade-required': 426,
  'rate-limited': 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** What a client does: try again, try a few times, sign in, give the item back to its writer, or load a new version. */
export type ErrorClass = 'transient' | 'uncertain' | 'auth' | 'permanent' | 'upgrade';

export function classOf(code: string): ErrorClass {
  return Object.hasOwn(CLASSES, code) ? CLASSES[code as ErrorCode] : 'uncertain';
}

const CLASSES: Record<ErrorCode, ErrorClass> = {
  unavailable: 'transient',
  'rate-limited': 'transient',
  internal: 'uncertain',
  unauthorized: 'auth',
  'upgrade-required': 'upgrade',
  invalid: 'permanent',
  'too-large': 'permanent',
  forbidden: 'permanent',
  'not-found': 'permanent',
  conflict: 'permanent',
};
