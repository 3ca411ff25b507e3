import { expect, test } from 'vitest';
import { isNetworkFirst, precachedPath } from '../../../web/sw/precachedPath.ts';

const ORIGIN = 'https://chat.example';
const path = (url: string, mode = 'cors', method = 'GET') =>
  precachedPath({ url: new URL(url, ORIGIN).href, mode, method }, ORIGIN);

test.each(['/', '/?from=home', '/anything'])('O1 opening %s without a network opens the app', (url) => {
  expect(path(url, 'navigate')).toBe('/index.html');
});

test.each([
  '/api/session',
  '/api',
  '/socket.io/?EIO=4',
  '/healthz',
  '/readyz',
  '/metrics',
  'https://other.example/',
])('%s is never answered from the cache', (url) => {
  expect(path(url)).toBeUndefined();
  expect(path(url, 'navigate')).toBeUndefined();
});

test('files of the app are precached paths, with any query; requests that change something are not', () => {
  expect(path('/assets/index-abc.js')).toBe('/assets/index-abc.js');
  expect(path('/apiary.png?v=2')).toBe('/apiary.png');
  expect(path('/', 'cors', 'POST')).toBeUndefined();
});

test.each([
  ['/', false],
  ['/#/room/lobby', false],
  ['/?network', true], // PAST_WORKER
  ['/?code=abc&state=def', true],
  ['/login', true],
  ['/index.html', true],
])('opening %s asks the network first: %s', (url, asks) => {
  expect(isNetworkFirst({ url: new URL(url, ORIGIN).href, mode: 'navigate' })).toBe(asks);
  expect(isNetworkFirst({ url: new URL(url, ORIGIN).href, mode: 'cors' })).toBe(false);
});
