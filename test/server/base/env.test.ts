import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, parseEnv } from '../../../server/base/env.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';

function mistakes(env: Record<string, string>): readonly string[] {
  try {
    parseEnv(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

test('settings that are absent or empty have their defaults', () => {
  const defaults = {
    port: 3000,
    host: '0.0.0.0',
    data: './data',
    mongodbUrl: undefined,
    page: join(import.meta.dirname, '../../../dist'),
    publicOrigin: undefined,
    allowedOrigins: [],
    trustProxy: { tag: 'nobody' },
    signUp: 'open',
    workers: 1,
    drainMs: 0,
    tls: undefined,
    admin: undefined,
    logLevel: 'info',
    auditLog: true,
    metricsPort: undefined,
    metricsHost: '127.0.0.1',
  };
  expect(parseEnv({})).toEqual(defaults);
  const names =
    'PORT HOST DATA MONGODB_URL PAGE PUBLIC_ORIGIN ALLOWED_ORIGINS TRUST_PROXY SIGN_UP WORKERS DRAIN_SECONDS TLS_CERT_FILE TLS_KEY_FILE LOG_LEVEL AUDIT_LOG ADMIN_PASSWORD_HASH ADMIN_CHANGES METRICS_PORT METRICS_HOST';
  const empty = Object.fromEntries(names.split(' ').map((name, i) => [name, ' '.repeat(i % 2)]));
  expect(parseEnv(empty)).toEqual(defaults);
});

test('a password for operators is a bcrypt hash of a bounded cost; the sentence says how to make one, and does not repeat it', () => {
  const hash = (cost: string) => `$2b$${cost}$${'a'.repeat(53)}`;
  const read = (env: Record<string, string>) => parseEnv(env).admin;
  expect(read({ ADMIN_PASSWORD_HASH: hash('12') })).toEqual({ passwordHash: hash('12'), mayChange: false });
  expect(read({ ADMIN_PASSWORD_HASH: hash('14'), ADMIN_CHANGES: 'on' })?.mayChange).toBe(true);
  for (const bad of ['secret', hash('09'), hash('15'), hash('31'), hash('12').slice(1), `${hash('12')}x`]) {
    const [sentence, ...others] = mistakes({ ADMIN_PASSWORD_HASH: bad });
    expect(others).toEqual([]);
    expect(sentence).toMatch(
      /^ADMIN_PASSWORD_HASH must be a bcrypt hash.* "npm run admin-password" makes one/,
    );
    expect(sentence).not.toContain(bad);
  }
  expect(mistakes({ ADMIN_CHANGES: 'on' })).toEqual([
    'ADMIN_CHANGES is on, but ADMIN_PASSWORD_HASH is not set: without a password there is no page for operators.',
  ]);
});

test('WORKERS above 1 is refused where it cannot work, with what to do', async () => {
  await using folder = await temporaryFolder();
  const onMongo = { MONGODB_URL: 'mongodb://127.0.0.1', WORKERS: '2' };
  expect(parseEnv(onMongo).workers).toBe(2);
  expect(mistakes({ WORKERS: '2' })).toEqual([
    'WORKERS is more than 1, but a database file serves one process: set MONGODB_URL to a MongoDB replica set, or leave WORKERS out.',
  ]);
  const { certFile, keyFile } = makeCertificate(folder.path, 'workers');
  const tls = { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
  expect(parseEnv({ ...onMongo, ...tls }).workers).toBe(2);
  expect(mistakes({ ...onMongo, ...tls, TRUST_PROXY: '1' })).toEqual([
    expect.stringMatching(
      /^WORKERS is more than 1, with TLS_CERT_FILE and TRUST_PROXY: .* Let the proxy speak plain HTTP/,
    ),
  ]);
  expect(mistakes({ WORKERS: '0' })).toEqual(['WORKERS is "0": it must be a whole number from 1 to 64.']);
});

test.each([
  'mongodb://127.0.0.1',
  'mongodb://a:27017,b:27018/holdfast?replicaSet=rs0',
  'mongodb://ada:s%40crets@db.example/?authSource=admin',
  'mongodb+srv://cluster.example/chat',
])('MONGODB_URL accepts %s', (MONGODB_URL) => {
  expect(parseEnv({ MONGODB_URL: ` ${MONGODB_URL} ` }).mongodbUrl).toBe(MONGODB_URL);
});

test.each([
  'postgres://ada:s3cret@db.example/holdfast',
  'mongodb:/ada:s3cret@db.example',
  'ada:s3cret@db.example',
  'mongodb://ada:s3cret@secret@db.example',
  'mongodb://ada:s3cret/secret@db.example/holdfast',
  'mongodb://ada:s3cret@',
  'mongodb://ada:s3cret@db.example/hold fast',
])('an invalid MONGODB_URL is reported in a sentence that does not repeat it: %s', (MONGODB_URL) => {
  const reported = mistakes({ MONGODB_URL });
  expect(reported).toEqual([
    expect.stringMatching(/^MONGODB_URL must be mongodb:\/\/host:port\/database or mongodb\+srv:.*\.$/),
  ]);
  expect(reported[0]).not.toContain('s3cret');
});

test('a wildcard for other origins is refused, with the reason', () => {
  for (const ALLOWED_ORIGINS of ['*', 'https://a.example.org,*', 'https://*.example.org'])
    expect(mistakes({ ALLOWED_ORIGINS })).toEqual([
      expect.stringMatching(
        /^ALLOWED_ORIGINS is .* it must be origins .*browsers do not accept \* together with credentials/,
      ),
    ]);
});

test('parses the settings', () => {
  const config = parseEnv({
    PORT: '0',
    PUBLIC_ORIGIN: 'HTTPS://Chat.example:443/',
    ALLOWED_ORIGINS: 'http://a.example, https://b.example:8443',
    TRUST_PROXY: '2',
    SIGN_UP: 'closed',
    DRAIN_SECONDS: '5',
    LOG_LEVEL: 'debug',
    AUDIT_LOG: 'off',
    METRICS_PORT: '9090',
    METRICS_HOST: '0.0.0.0',
  });
  expect(config).toMatchObject({
    port: 0,
    publicOrigin: 'https://chat.example',
    allowedOrigins: ['http://a.example', 'https://b.example:8443'],
    trustProxy: { tag: 'hops', hops: 2 },
    signUp: 'closed',
    drainMs: 5_000,
    logLevel: 'debug',
    auditLog: false,
    metricsPort: 9090,
    metricsHost: '0.0.0.0',
  });
  expect(parseEnv({ DATA: '/x y', PAGE: '/y' })).toMatchObject({ data: '/x y', page: '/y' });
  // its default, also without metrics
  expect(parseEnv({ METRICS_HOST: '127.0.0.1' })).toMatchObject({
    metricsHost: '127.0.0.1',
    metricsPort: undefined,
  });
  expect(parseEnv({ TRUST_PROXY: '10.0.0.0/8, ::1' }).trustProxy).toMatchObject({ tag: 'addresses' });
});

test.each([
  [{ PORT: 'abc' }, /^PORT is "abc": it must be a whole number from 0 to 65535\.$/],
  [{ PORT: '65536' }, /^PORT is "65536"/],
  [{ PORT: '-1' }, /^PORT is "-1"/],
  [{ HOST: 'http://x' }, /^HOST /],
  [{ PUBLIC_ORIGIN: 'chat.example' }, /^PUBLIC_ORIGIN .* origin with no path/],
  [{ PUBLIC_ORIGIN: 'https://chat.example/path' }, /^PUBLIC_ORIGIN /],
  [{ PUBLIC_ORIGIN: 'https://me@chat.example' }, /^PUBLIC_ORIGIN /],
  [{ PUBLIC_ORIGIN: 'ftp://chat.example' }, /^PUBLIC_ORIGIN /],
  [{ ALLOWED_ORIGINS: 'https://a.example,*' }, /^ALLOWED_ORIGINS /],
  [{ TRUST_PROXY: 'yes' }, /^TRUST_PROXY /],
  [{ TRUST_PROXY: '10.0.0.0/33' }, /^TRUST_PROXY /],
  [{ SIGN_UP: 'yes' }, /^SIGN_UP is "yes": it must be open, invite or closed/],
  [{ DRAIN_SECONDS: '5s' }, /^DRAIN_SECONDS is "5s": it must be a whole number from 0 to 300\.$/],
  [{ DRAIN_SECONDS: '301' }, /^DRAIN_SECONDS is /],
  [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL is "loud": it must be one of fatal, error/],
  [{ AUDIT_LOG: 'yes' }, /^AUDIT_LOG is "yes": it must be on or off\.$/],
  [{ METRICS_HOST: 'http://x', METRICS_PORT: '9090' }, /^METRICS_HOST is "http:\/\/x"/],
  [{ METRICS_HOST: '0.0.0.0' }, /^METRICS_HOST is set, but METRICS_PORT is not: .*no metrics\.$/],
  [{ TRUST_PROXY: ',' }, /^TRUST_PROXY is ",": it must be the number of proxies/],
  [{ ALLOWED_ORIGINS: ' , ' }, /^ALLOWED_ORIGINS is ",": it must be origins/],
  [{ ALLOWED_ORIGINS: 'https://a.example.' }, /^ALLOWED_ORIGINS /],
  [
    { PUBLIC_ORIGIN: 'https://chat.example,' },
    /^PUBLIC_ORIGIN is .* must be one origin .*others go to ALLOWED_ORIGINS/,
  ],
  [{ PUBLIC_ORIGIN: 'https://chat.example,https://b.example' }, /^PUBLIC_ORIGIN is .* must be one origin/],
  [{ PUBLIC_ORIGIN: 'https://chat.example.' }, /^PUBLIC_ORIGIN is .* must be one origin/],
  [
    { DATA: '/srv/chat data ' },
    /^DATA is "\/srv\/chat data ": it must be a path that neither begins nor ends/,
  ],
  [{ DATA: '/srv/chat\u00a0' }, /^DATA is /],
  [{ PAGE: ' /y' }, /^PAGE is " \/y": it must be a path/],
  [{ PORT: '9090', METRICS_PORT: '9090' }, /^METRICS_PORT is the same as PORT/],
  [{ TLS_KEY_FILE: 'k.pem' }, /TLS_CERT_FILE is not/],
  [{ TLS_CERT_FILE: '/nowhere/c.pem', TLS_KEY_FILE: import.meta.filename }, /^TLS_CERT_FILE .*ENOENT/],
])('%j is reported in a sentence', (env, sentence) => {
  const reported = mistakes(env);
  expect(reported[0]).toMatch(sentence);
});

test('all mistakes are reported at once', () => {
  const reported = mistakes({ PORT: 'x', LOG_LEVEL: 'x', ALLOWED_ORIGINS: 'x', TLS_CERT_FILE: 'c.pem' });
  expect(reported).toHaveLength(4);
});

describe('TLS', () => {
  let folder: TemporaryFolder;
  const file = (name: string) => join(folder.path, name);
  beforeAll(async () => {
    folder = await temporaryFolder();
    for (const name of ['one', 'two']) {
      makeCertificate(folder.path, name);
    }
    writeFileSync(file('empty'), '');
  });
  afterAll(() => folder.remove());

  test('reads certificate and key', () => {
    const config = parseEnv({ TLS_CERT_FILE: file('one.crt'), TLS_KEY_FILE: file('one.key') });
    expect(config.tls?.cert.toString()).toContain('BEGIN CERTIFICATE');
    const inUse = { cert: Buffer.from('old'), key: Buffer.from('old') };
    const [good, broken] = ['one.crt', 'empty'].map((cert) => ({
      TLS_CERT_FILE: file(cert),
      TLS_KEY_FILE: file('one.key'),
    }));
    expect(parseEnv(good!, inUse).tls).toEqual(config.tls);
    expect(parseEnv(broken!, inUse).tls).toEqual({
      ...inUse,
      certFile: file('empty'),
      keyFile: file('one.key'),
    });
    expect(parseEnv({}, inUse).tls).toBeUndefined();
    const spaced = { TLS_CERT_FILE: `${file('one.crt')} `, TLS_KEY_FILE: ` ${file('one.key')}` };
    expect(mistakes(spaced)).toEqual([
      expect.stringMatching(
        /^TLS_CERT_FILE is ".*one\.crt ": it must be a path that neither begins nor ends/,
      ),
      expect.stringMatching(/^TLS_KEY_FILE is " .*one\.key": it must be a path/),
    ]);
  });

  test('reports files that are no certificate and key, or do not match', () => {
    const reported = (cert: string, key: string) =>
      mistakes({ TLS_CERT_FILE: file(cert), TLS_KEY_FILE: file(key) });
    expect(reported('one.crt', 'two.key')).toEqual([
      'TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE.',
    ]);
    expect(reported('empty', 'empty')).toEqual([
      expect.stringMatching(/^TLS_CERT_FILE .* not a certificate/),
      expect.stringMatching(/^TLS_KEY_FILE .* not an unencrypted private key/),
    ]);
  });
});
