import { randomBytes } from 'node:crypto';
import { idFrom } from '../../shared/mint.ts';

/** What a database is told apart by from what it was before it was put back: 128 random bits. */
export function newEpoch(): string {
  return idFrom(randomBytes(16));
}
