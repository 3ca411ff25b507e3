import { createHash } from 'node:crypto';

interface Content {
  clientOffset: string;
  kind: string;
  target?: string;
  body?: string;
}

/**
 * What a repeat is compared by: a hash of the content as its author meant it (the target by clientOffset, the body
 * normalized). The clientOffset goes in, so that equal texts do not have equal digests. 128 bits, base64url.
 */
export function digest({ clientOffset, kind, target, body }: Content): string {
  const content = JSON.stringify([clientOffset, kind, target ?? null, body ?? null]);
  return createHash('sha256').update(content).digest('base64url').slice(0, 22);
}
