/**
 * Attacks over HTTP/2, where the server itself has TLS: the verdict of attacks.test.ts, but for the latency. Each refused connection
 * costs a TLS handshake, and each stream is a request: innocents wait longer than over HTTP/1.1 (docs/SECURITY.md says so).
 */
// @module-tag slow
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../../support/certificate.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';
import type { AttackName } from './attacks.ts';
import { hurtBy } from './hold.ts';
import { http2Attacks } from './http2Floods.ts';
import { BESIEGED_WITHIN_MS, besiege, type Siege } from './siege.ts';

/** Measured on two cores: p99 118 ms and 290 ms; before requests took turns, 1,540 ms. */
const LEAST_BOUND_HTTP2_MS = 600;

let folder: TemporaryFolder;
let siege: Siege;

beforeAll(async () => {
  folder = await temporaryFolder();
  const { certFile, keyFile } = makeCertificate(folder.path, 'besieged');
  siege = await besiege(
    { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile },
    { quietWindows: 1, leastBoundMs: LEAST_BOUND_HTTP2_MS },
  );
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
