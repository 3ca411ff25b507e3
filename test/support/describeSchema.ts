/** A valibot schema as plain data that is the same for the same schema, whatever order its code stands in. */

/** A function (a check of our own, a lazy getter) is told by the message beside it: its source is the formatter's. */
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

/** How valibot works, not what it was asked: changes with its releases. */
const OF_THE_LIBRARY = new Set(['~run', '~standard', '~types', 'reference', 'async', 'expects']);
