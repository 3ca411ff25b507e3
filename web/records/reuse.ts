/** Keeps the identity of what did not change, so that views find out by `===` what they have to render again. Pure. */

/** `before` if `next` is equal to it, else `next`. For plain data: objects, arrays and primitives. A field that is undefined is as none. */
export function reuse<T>(before: T | undefined, next: T): T {
  return isEqual(before, next) ? (before as T) : next;
}

/** Field by field: two texts for each line of a log, made to be compared, were a sixth of what a scroll allocates. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  for (const key in b) if (!isEqual(a[key], b[key])) return false;
  for (const key in a) if (!(key in b) && a[key] !== undefined) return false;
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** `next`, in which each element that is equal to the one of the same key in `before` is that one; all of `before` if so are all. */
export function reuseElements<T>(before: readonly T[], next: readonly T[], keyOf: (one: T) => string): T[] {
  const known = new Map(before.map((one) => [keyOf(one), one]));
  const elements = next.map((one) => reuse(known.get(keyOf(one)), one));
  return reuseFields(before as T[], elements);
}

/** `before` if its fields (or elements) are identical to those of `next`, else `next`. */
export function reuseFields<T extends object>(before: T | undefined, next: T): T {
  return haveSameFields(before, next) ? (before as T) : next;
}

/** Of two objects, whose fields are compared by identity; or two other values that are identical. */
export function haveSameFields(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  const [fields, others] = [Object.entries(a), Object.entries(b)];
  return (
    fields.length === others.length &&
    fields.every(([key, value], i) => key === others[i]![0] && Object.is(value, others[i]![1]))
  );
}
