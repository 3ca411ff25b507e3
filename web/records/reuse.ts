/** Keeps the identity of what did not change, so that views find out by `===` what they have to render again. Pure. */

/** `before` if `next` is equal to it, else `next`. For plain data: objects, arrays and primitives. */
export function reuse<T>(before: T | undefined, next: T): T {
  return isEqual(before, next) ? (before as T) : next;
}

/** `next`, in which each element that is equal to the one of the same key in `before` is that one; all of `before` if so are all. */
export function reuseElements<T>(before: readonly T[], next: readonly T[], keyOf: (one: T) => string): T[] {
  const known = new Map(before.map((one) => [keyOf(one), one]));
  const elements = next.map((one) => reuse(known.get(keyOf(one)), one));
  return reuse(before as T[], elements);
}

/** The same, where two objects are equal if their fields are identical. */
export function reuseFields<T extends object>(before: T | undefined, next: T): T {
  return before && haveSameFields(before, next) ? before : next;
}

/** Of two objects, whose fields are compared by identity; or two other values that are identical. */
export function haveSameFields(a: unknown, b: unknown): boolean {
  return equal(a, b, Object.is);
}

export function isEqual(a: unknown, b: unknown): boolean {
  return equal(a, b, isEqual);
}

function equal(a: unknown, b: unknown, isSame: (one: unknown, other: unknown) => boolean): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key as keyof typeof a], b[key as keyof typeof b]))
  );
}
