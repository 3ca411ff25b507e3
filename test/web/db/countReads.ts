import { vi } from 'vitest';

/** Counts the records read by `getAll`, until mocks are restored. The function returns the count since its last call. */
export function countReads(): () => number {
  let count = 0;
  for (const source of [IDBIndex, IDBObjectStore]) {
    const { getAll } = source.prototype;
    vi.spyOn(source.prototype, 'getAll').mockImplementation(function (this: never, ...asked: []) {
      const request: IDBRequest<unknown[]> = getAll.apply(this, asked);
      request.addEventListener('success', () => {
        count += request.result.length;
      });
      return request as never;
    });
  }
  return () => {
    const counted = count;
    count = 0;
    return counted;
  };
}
