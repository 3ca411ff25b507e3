import { isIPv6 } from 'node:net';

/** What a client address is counted by: an IPv6 network of 64 bits is one customer's, with 2^64 addresses to try from. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const canonical = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1); // no embedded IPv4 any more
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
