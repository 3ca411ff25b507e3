import { describe, expect, test } from 'vitest';
import { parseEnv } from '../../../server/base/env.ts';
import { clientAddressOf } from '../../../server/request/clientAddress.ts';
import { classifyOrigin, mayAct, originOf } from '../../../server/request/requestContext.ts';

const from = (
  trust: string,
  headers: Record<string, string>,
  remoteAddress = '10.0.0.9',
  encrypted = false,
) =>
  clientAddressOf(
    { headers: { host: 'inside:3000', ...headers }, socket: { remoteAddress, encrypted } },
    { publicOrigin: undefined, trustProxy: parseEnv({ TRUST_PROXY: trust }).trustProxy },
  );

const forwarded = {
  'x-forwarded-for': '6.6.6.6, 203.0.113.5, 10.0.0.8',
  'x-forwarded-proto': 'gopher, https, http',
  'x-forwarded-host': 'evil.example, chat.example, inside.example',
};

test.each([
  ['', { address: '10.0.0.9', ownOrigin: 'http://inside:3000', host: 'inside:3000' }],
  ['1', { address: '10.0.0.8', ownOrigin: 'http://inside.example', host: 'inside.example' }],
  ['2', { address: '203.0.113.5', ownOrigin: 'https://chat.example', host: 'chat.example' }],
  ['10.0.0.0/8', { address: '203.0.113.5', ownOrigin: 'https://chat.example', host: 'chat.example' }],
  ['10.0.0.7', { address: '10.0.0.9', ownOrigin: 'http://inside:3000', host: 'inside:3000' }],
])('TRUST_PROXY=%s', (trust, client) => expect(from(trust, forwarded)).toEqual(client));

test('a trusted proxy that sends no headers changes nothing', () => {
  expect(from('1', {})).toEqual({
    address: '10.0.0.9',
    ownOrigin: 'http://inside:3000',
    host: 'inside:3000',
  });
  expect(from('1', { 'x-forwarded-for': 'unknown' }).address).toBe('10.0.0.9');
});

test('a proxy that says `wss` of a WebSocket means the page of `https`', () => {
  const origin = (proto: string) => from('1', { 'x-forwarded-proto': proto }).ownOrigin;
  expect([origin('wss'), origin('ws')]).toEqual(['https://inside:3000', 'http://inside:3000']);
  expect(origin('wsss')).toBeUndefined();
});

test('the scheme of the listener, default ports, IPv4-mapped addresses, invalid hosts', () => {
  expect(from('', { host: 'Chat.example:443' }, '::ffff:192.0.2.1', true)).toEqual({
    address: '192.0.2.1',
    ownOrigin: 'https://chat.example',
    host: 'Chat.example:443',
  });
  for (const host of ['', 'a b', 'a/b', 'x@y', 'a:99999', 'a?b'])
    expect(from('', { host }).ownOrigin).toBeUndefined();
});

test('classifies the origin of a request', () => {
  const ownOrigin = 'http://a:3000';
  expect(classifyOrigin(ownOrigin, ownOrigin, [])).toBe('own');
  expect(classifyOrigin('https://b', ownOrigin, ['https://b'])).toBe('allowed');
  expect(classifyOrigin(undefined, ownOrigin, [])).toBe('absent');
  expect(classifyOrigin('null', ownOrigin, [])).toBe('foreign');
  expect(classifyOrigin('http://a:3001', ownOrigin, [])).toBe('foreign');
  expect(classifyOrigin(undefined, undefined, [])).toBe('absent');
  expect(originOf({ referer: 'http://a:3000/room/x?y' })).toBe(ownOrigin);
  expect(originOf({ origin: 'null', referer: 'http://a:3000/' })).toBe('null');
  expect(originOf({ referer: 'nonsense' })).toBeUndefined();
});

describe('who may act', () => {
  const [bearer, cookie] = [{ tag: 'bearer', token: 't' } as const, { tag: 'cookie', token: 't' } as const];
  const none = { tag: 'none' } as const;
  test.each([
    ['own', bearer, true],
    ['own', cookie, true],
    ['allowed', cookie, true],
    ['absent', cookie, false],
    ['absent', none, true],
    ['absent', bearer, true],
    ['foreign', bearer, true],
    ['foreign', cookie, false],
    ['foreign', none, false],
  ] as const)('%s with %o: %s', (origin, credentials, may) =>
    expect(mayAct({ origin, credentials })).toBe(may),
  );
});
