import { describe, expect, test, vi } from 'vitest';
import { createHostCheck, warningOfForeignHosts } from '../../../server/request/hostCheck.ts';

const check = (origins: { publicOrigin?: string; allowedOrigins?: string[] } = {}, machine = 'Ward-PC') =>
  createHostCheck({ publicOrigin: undefined, allowedOrigins: [], ...origins }, machine);

describe('without any setting', () => {
  test.each([
    '127.0.0.1:3000',
    '192.168.1.20:3000',
    '203.0.113.5',
    '[::1]:3000',
    '[2001:db8::20]',
    'localhost',
    'LOCALHOST:8080',
    'localhost.:3000',
    'ward-pc:3000',
    'Ward-PC.local',
    'ward-pc.local.:3000',
  ])('%s is this server', (host) => expect(check().isOwn(host)).toBe(true));

  test.each([
    undefined,
    '',
    ':3000',
    'evil.example',
    'evil.example:3000',
    '192.168.1.20.evil.example',
    'localhost.evil.example',
    'ward-pc.evil.example',
    'evil-ward-pc',
    'local',
    '.local',
    '127.0.0.1:3000, evil.example',
    '127.0.0.1@evil.example',
    'evil.example/127.0.0.1',
    'evil.example#localhost',
    'a b',
    '[::1',
    '[fe80::1%25eth0]',
    'localhost:99999',
    'localhost\tevil',
    'x'.repeat(10_000),
  ])('%s is not', (host) => expect(check().isOwn(host)).toBe(false));
});

test("the machine's own name counts in full and without its domain, with and without .local", () => {
  const hosts = [
    'nas.home.arpa',
    'nas',
    'nas.local',
    'nas.home.arpa.local',
    'home.arpa',
    'other.home.arpa',
    'box',
    'local',
  ];
  const own = (machine: string) => hosts.filter((host) => check({}, machine).isOwn(host));
  expect(own('nas.home.arpa')).toEqual(hosts.slice(0, 4));
  expect(own('nas.local')).toEqual(['nas', 'nas.local']);
  expect(own('')).toEqual([]);
  expect(own('a machine')).toEqual([]);
});

test("PUBLIC_ORIGIN's host and those of ALLOWED_ORIGINS count on every port, and only these", () => {
  const { isOwn } = check({
    publicOrigin: 'https://chat.example.org',
    allowedOrigins: ['http://xn--bcher-kva.example:8080'],
  });
  for (const host of [
    'chat.example.org',
    'Chat.Example.org:443',
    'chat.example.org.:3000',
    'xn--bcher-kva.example',
  ])
    expect(isOwn(host)).toBe(true);
  for (const host of ['example.org', 'www.chat.example.org', 'chat.example.org.evil.example'])
    expect(isOwn(host)).toBe(false);
});

test('the sentence names the setting, and fits into an error of at most 300 bytes', () => {
  for (const { sentence } of [check(), check({ publicOrigin: 'https://chat.example.org' })]) {
    expect(sentence).toContain('PUBLIC_ORIGIN');
    expect(Buffer.byteLength(sentence)).toBeLessThan(220);
  }
});

test('the operator is warned of a foreign name, with that name, at most once a minute', () => {
  let now = 0;
  const warn = vi.fn();
  const { isOwn } = warningOfForeignHosts(check(), { logger: { warn }, now: () => now });
  const ask = () => ['localhost', 'chat.example.org', `${'x'.repeat(5_000)}.example`, undefined].map(isOwn);
  expect(ask()).toEqual([true, false, false, false]);
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    { host: 'chat.example.org' },
    expect.stringContaining('PUBLIC_ORIGIN'),
  );
  now = 59_999;
  ask();
  expect(warn).toHaveBeenCalledTimes(1);
  now = 60_000;
  isOwn('x'.repeat(5_000));
  expect(warn.mock.calls[1]![0].host).toHaveLength(260);
});
