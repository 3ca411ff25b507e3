/** What a run would spend a quarter of its time on, and shows nothing: copies of plain records, and the stacks of errors. */

/** As `structuredClone` does it, of what the client and the model server hand over; of all else by that itself. */
export function makeQuick(stacks: boolean): void {
  if (!stacks) Error.stackTraceLimit = 0;
  const real = globalThis.structuredClone;
  const clone = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return typeof value === 'function' ? real(value) : value;
    if (Array.isArray(value)) return value.map(clone);
    if (Object.getPrototypeOf(value) !== Object.prototype) return real(value);
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) copy[key] = clone((value as Record<string, unknown>)[key]);
    return copy;
  };
  globalThis.structuredClone = clone as typeof structuredClone;
}
