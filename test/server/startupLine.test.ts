import { expect, test } from 'vitest';
import { startupLine } from '../../server/startupLine.ts';

const address = (address: string, internal = false, family = 'IPv4') =>
  ({ address, internal, family }) as never;
const interfaces = {
  lo: [address('127.0.0.1', true)],
  eth0: [address('192.168.1.20'), address('fe80::1', false, 'IPv6'), address('169.254.3.4')],
};
const listening = { host: '0.0.0.0', port: 3000, publicOrigin: undefined, tls: undefined };

test.each([
  [
    {},
    'Holdfast: open http://127.0.0.1:3000, or from this network http://192.168.1.20:3000\nTo open it under a domain or behind a proxy, set PUBLIC_ORIGIN to that address, such as https://chat.example.org.',
  ],
  [{ host: '127.0.0.1' }, 'Holdfast: open http://127.0.0.1:3000'],
  [{ host: '::1' }, 'Holdfast: open http://[::1]:3000'],
  [{ publicOrigin: 'https://chat.example' }, 'Holdfast: open https://chat.example'],
])('%j', (change, line) => expect(startupLine({ ...listening, ...change }, interfaces)).toBe(line));
