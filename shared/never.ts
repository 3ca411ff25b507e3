/** The compiler's proof that a switch over a union is exhaustive; at run time, the sentence that it was not. */
export function assertNever(value: never): never {
  throw new Error(`not a case of the union: ${JSON.stringify(value)}`);
}
