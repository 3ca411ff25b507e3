/**
 * The Host check: under which names this server answers. Against DNS rebinding: the name of a foreign page is made to resolve
 * to this server's address in the LAN, and for the browser that page and this server then have one origin. Its requests still
 * carry its name in `Host`. The check is pure.
 */
import { isIP } from 'node:net';
import type { Config } from '../base/env.ts';
import type { Logger } from '../base/logger.ts';

export interface HostCheck {
  /** `host`: of `ClientAddress`. The port does not matter: whoever is behind a port mapping does not know the outer one. */
  isOwn(host: string | undefined): boolean;
  /** For people: what to set so that the name is accepted. Does not repeat the name. */
  readonly sentence: string;
}

/** The status of a refused request: 421 Misdirected Request (RFC 9110). */
export const MISDIRECTED_STATUS = 421;

/** `machine`: the host name of this machine, as `os.hostname()` returns it. */
export function createHostCheck(
  { publicOrigin, allowedOrigins }: Pick<Config, 'publicOrigin' | 'allowedOrigins'>,
  machine: string,
): HostCheck {
  const names = new Set([
    'localhost',
    ...namesOf(machine),
    ...[publicOrigin ?? [], ...allowedOrigins].flat().map((origin) => nameIn(new URL(origin).host)),
  ]);
  let known: string | undefined; // the last one that was accepted: most requests have the same, and parsing takes 8 µs
  return {
    isOwn(host) {
      if (host !== undefined && host === known) return true;
      const name = nameIn(host ?? '');
      const isOwn = name !== undefined && (isIP(name.replace(/^\[|\]$/g, '')) > 0 || names.has(name));
      if (isOwn) known = host;
      return isOwn;
    },
    sentence: publicOrigin === undefined ? WITHOUT_PUBLIC_ORIGIN : WITH_PUBLIC_ORIGIN,
  };
}

/**
 * The same check, which also tells the operator: an installed app shows only that it has no connection. At most one warning a
 * minute. It has the name, which is the one to set, or that of an attacker's page.
 */
export function warningOfForeignHosts(
  check: HostCheck,
  { logger, now }: { logger: Pick<Logger, 'warn'>; now: () => number },
): HostCheck {
  let silentUntil = Number.NEGATIVE_INFINITY;
  return {
    sentence: check.sentence,
    isOwn(host) {
      const isOwn = check.isOwn(host);
      if (!isOwn && now() >= silentUntil) {
        silentUntil = now() + WARN_EVERY_MS;
        logger.warn({ host: host?.slice(0, HOST_MAX_LENGTH) }, `request refused: ${check.sentence}`);
      }
      return isOwn;
    },
  };
}

const WARN_EVERY_MS = 60_000;
/** The longest name in the DNS, with a port. */
const HOST_MAX_LENGTH = 260;

const WITHOUT_PUBLIC_ORIGIN =
  'This server does not know the name under which you opened it. Whoever runs it sets PUBLIC_ORIGIN to the address that the browser shows, such as https://chat.example.org.';
const WITH_PUBLIC_ORIGIN =
  'This name is not the one in PUBLIC_ORIGIN. Open that address; or whoever runs the server adds this one to ALLOWED_ORIGINS, or makes the proxy pass on the Host of the browser.';

/** The name of a machine in its network, and by mDNS (`.local`); both also without the domain. */
function namesOf(machine: string): string[] {
  const name = nameIn(machine);
  const all = name === undefined ? [] : [name, name.split('.')[0]!];
  return all.flatMap((each) => [each, each.endsWith('.local') ? each.slice(0, -6) : `${each}.local`]);
}

/** The host of a `Host` header in its normal form: lower case, no port, no trailing dot. Undefined if it is malformed. */
function nameIn(host: string): string | undefined {
  if (host.length > HOST_MAX_LENGTH || !/^[\w.:[\]-]+$/.test(host) || !URL.canParse(`http://${host}`))
    return undefined;
  return new URL(`http://${host}`).hostname.replace(/\.$/, '') || undefined;
}
