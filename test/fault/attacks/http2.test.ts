/** Attacks over HTTP/2: the same verdict as over HTTP/1.1 (attacks.test.ts). */
// @module-tag slow
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../../support/certificate.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';
import type { AttackName } from './attacks.ts';
import { hurtBy } from './hold.ts';
import { http2Attacks } from './http2Floods.ts';
import { BESIEGED_WITHIN_MS, besiege, type Siege } from './siege.ts';

let folder: TemporaryFolder;
let siege: Siege;

beforeAll(async () => {
  folder = await temporaryFolder();
  const { certFile, keyFile } = makeCertificate(folder.path, 'besieged');
  siege = await besiege({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }, { quietWindows: 1 });
}, BESIEGED_WITHIN_MS);

afterAll(async () => {
  await siege?.[Symbol.asyncDispose]();
  await folder?.remove();
});

test.each(Object.keys(http2Attacks) as AttackName[])(
  'an attack over HTTP/2 hurts nobody: %s',
  async (name) => {
    expect(await hurtBy(siege, name)).toEqual([]);
  },
);
