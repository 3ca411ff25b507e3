import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readTls } from '../../../server/base/env.ts';
import { reloadTlsOnChange, type TlsReload } from '../../../server/http/tlsReload.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';
import { waitFor } from '../../support/waitFor.ts';

let folder: TemporaryFolder;
let watching: TlsReload | undefined;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  watching?.stop();
  await folder.remove();
});

const at = (...names: string[]) => join(folder.path, ...names);

/** The files are `live/tls.crt` and `live/tls.key`; `live` is a link to a version, as Kubernetes and certbot do it. */
function version(name: string) {
  mkdirSync(at(name));
  const made = makeCertificate(at(name), 'tls');
  return { ...made, name };
}

/** Replaces the link in one step, as `ln -sfn` does. */
function goLive(name: string): void {
  symlinkSync(name, at('live.new'));
  renameSync(at('live.new'), at('live'));
}

function watch(pair = readTls(at('live', 'tls.crt'), at('live', 'tls.key')).pair) {
  const applied: Buffer[] = [];
  const log = { info: vi.fn(), error: vi.fn() };
  const apply = ({ cert }: { cert: Buffer }) => void applied.push(cert);
  watching = reloadTlsOnChange({ tls: pair!, apply, logger: log, pollMs: 10 });
  return { applied, log, ...watching };
}

test('a certificate behind a link that is replaced is in use without a restart', async () => {
  version('first');
  goLive('first');
  const { applied, log } = watch();
  const next = version('next');
  goLive('next');
  await waitFor('the new certificate', () => applied.length > 0);
  expect(applied).toEqual([next.cert]);
  expect(log.info).toHaveBeenCalledWith(
    { validTo: expect.stringContaining('GMT') },
    'new TLS certificate in use',
  );
  expect(log.error).not.toHaveBeenCalled();
});

test('a change between the start of the process and the first look is found', async () => {
  version('first');
  goLive('first');
  const { pair } = readTls(at('live', 'tls.crt'), at('live', 'tls.key'));
  const next = version('next');
  goLive('next');
  const { applied } = watch(pair);
  await waitFor('the new certificate', () => applied.length > 0);
  expect(applied).toEqual([next.cert]);
});

test('a broken pair leaves the old one and is a sentence; when it is corrected, it is in use', async () => {
  version('first');
  goLive('first');
  const { applied, log } = watch();
  const next = version('next');
  writeFileSync(at('next', 'tls.key'), 'no key');
  goLive('next');
  await waitFor('the sentence', () => log.error.mock.calls.length > 0);
  expect(log.error).toHaveBeenCalledExactlyOnceWith(
    expect.stringMatching(/^The server goes on with the old TLS certificate.*TLS_KEY_FILE is ".*\.$/),
  );
  expect(applied).toEqual([]);
  writeFileSync(at('next', 'tls.key'), next.key);
  await waitFor('the new certificate', () => applied.length > 0);
  expect(applied).toEqual([next.cert]);
});

test('a certificate with the key of another one is not used', async () => {
  version('first');
  goLive('first');
  const { applied, log, reload } = watch();
  version('next');
  copyFileSync(at('next', 'tls.crt'), at('first', 'tls.crt'));
  reload();
  expect(log.error).toHaveBeenCalledExactlyOnceWith(
    expect.stringContaining('TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE.'),
  );
  expect(applied).toEqual([]);
});

test('files that are written again with the same content change nothing', () => {
  const first = version('first');
  goLive('first');
  const { applied, log, reload } = watch();
  writeFileSync(at('first', 'tls.crt'), first.cert);
  reload();
  expect([applied, log.error.mock.calls, log.info.mock.calls]).toEqual([[], [], []]);
});
