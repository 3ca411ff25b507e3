/** A variant whose line has changed would fail only after minutes, when its seeds are run. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../support/tools.ts';
import { VARIANTS } from './variants.ts';

test('each line that a variant breaks is in the client, once', async () => {
  for (const [variant, broken] of Object.entries(VARIANTS))
    for (const { file, from } of broken) {
      const source = await readFile(join(ROOT, 'web', file), 'utf8');
      expect(source.split(from).length - 1, `${variant}: “${from}” in web/${file}`).toBe(1);
    }
});
