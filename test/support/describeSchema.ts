/** A valibot schema as plain data, independent of the order of its fields. Equal schemas give equal data. */

/** A function (a custom check, a lazy getter) is left out: its message identifies it, while its source depends on the formatter. */
export function describeSchema(value: unknown): unknown {
  if (value instanceof RegExp) return String(value);
  if (typeof value === 'function') return 'function';
  if (typeof value === 'bigint' || value === undefined) return String(value);
  if (Array.isArray(value)) return value.map(describeSchema);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !OF_THE_LIBRARY.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, describeSchema(part)]),
  );
}

/** Internals of valibot, which change with its releases. */
const OF_THE_LIBRARY = new Set(['~run', '~standard', '~types', 'reference', 'async', 'expects']);
