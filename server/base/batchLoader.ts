/**
 * Loads many keys in one call: all keys that are asked for in one turn of the event loop are one `load`, and each caller gets
 * its whole result. So a storm of clients that come back costs a few queries instead of one for each.
 */
export function createBatchLoader<Result>(
  load: (keys: readonly string[]) => Promise<Result>,
): (key: string) => Promise<Result> {
  let batch: { keys: string[]; result: Promise<Result> } | undefined;

  function newBatch() {
    const keys: string[] = [];
    const result = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      batch = undefined;
      return load(keys);
    });
    return { keys, result };
  }

  return (key) => {
    batch ??= newBatch();
    batch.keys.push(key);
    return batch.result;
  };
}
