/** For the default case of a switch over a union: does not compile unless the switch is exhaustive. Throws at run time. */
export function assertNever(value: never): never {
  throw new Error(`not a case of the union: ${JSON.stringify(value)}`);
}
