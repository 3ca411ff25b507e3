/** Keeps the identity of what did not change, so that views find out by `===` what they have to render again. Pure. */

/** `before` if `next` is equal to it, else `next`. For plain data: objects, arrays and primitives. A field that is undefined is as none. */
export function reuse<T>(before: T | undefined, next: T): T {
  return isEqual(before, next) ? (before as T) : next;
}

function isEqual(a: unknown, b: unknown): boolean {
  return haveEqualFields(a, b, isEqual);
}

/**
 * Without a list or a text of the fields: made for each line of a log to be compared, two texts were a sixth of what a scroll
 * allocates, and later two lists a ninth.
 */
function haveEqualFields(a: unknown, b: unknown, areEqual: (a: unknown, b: unknown) => boolean): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  for (const key in b) if (!areEqual(a[key], b[key])) return false;
  for (const key in a) if (!(key in b) && a[key] !== undefined) return false;
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** `next`, in which each element that is equal to the one of the same key in `before` is that one; all of `before` if so are all. */
export function reuseElements<T>(before: readonly T[], next: readonly T[], keyOf: (one: T) => string): T[] {
  const known = new Map<string, T>();
  for (const one of before) known.set(keyOf(one), one);
  const elements = next.map((one) => reuse(known.get(keyOf(one)), one));
  return reuseFields(before as T[], elements);
}

/** `before` if its fields (or elements) are identical to those of `next`, else `next`. */
export function reuseFields<T extends object>(before: T | undefined, next: T): T {
  return haveSameFields(before, next) ? (before as T) : next;
}

/** Of two objects, whose fields are compared by identity (one that is undefined is as none); or two other values that are identical. */
export function haveSameFields(a: unknown, b: unknown): boolean {
  return haveEqualFields(a, b, Object.is);
}
