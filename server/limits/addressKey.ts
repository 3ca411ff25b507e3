import { isIPv6 } from 'node:net';

/**
 * The key under which a client address is rate-limited. For IPv6 it is the /64 network: one customer usually has a whole
 * /64, with 2^64 addresses to rotate through.
 */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const canonical = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1); // the URL parser turns an embedded IPv4 into hex groups
  const [left = '', right = ''] = canonical.split('::');
  const [front, back] = [groups(left), groups(right)];
  const zeros = Array.from(
    { length: canonical.includes('::') ? 8 - front.length - back.length : 0 },
    () => '0',
  );
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
}

function groups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
