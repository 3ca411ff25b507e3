/** Security headers, by the scheme of the page: over plain HTTP some would break it, or only cause console warnings. */
import helmet from 'koa-helmet';
import type { HttpMiddleware } from './middleware.ts';

/** The scheme is the one that the browser sees, also behind a proxy that terminates TLS. */
export function securityHeaders(): HttpMiddleware {
  const plain = helmet(common);
  const secure = helmet({ ...common, crossOriginOpenerPolicy: true, originAgentCluster: true });
  const secureWithHsts = helmet({
    ...common,
    crossOriginOpenerPolicy: true,
    originAgentCluster: true,
    // For this host only: its subdomains may belong to other services.
    strictTransportSecurity: { maxAge: HSTS_S, includeSubDomains: false },
  });

  return (ctx, next) => {
    ctx.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()');
    const { ownOrigin } = ctx.state.requestContext;
    if (!ownOrigin?.startsWith('https:')) return plain(ctx, next);
    // HSTS applies to all ports of a host: on localhost it would break every other project that runs there without TLS.
    return new URL(ownOrigin).hostname === 'localhost' ? secure(ctx, next) : secureWithHsts(ctx, next);
  };
}

/** A year, the least that OWASP ASVS 5 asks for (3.4.1). */
const HSTS_S = 365 * 24 * 60 * 60;

const common = {
  contentSecurityPolicy: {
    // helmet's defaults have `upgrade-insecure-requests`, which makes a page over plain HTTP load its scripts over HTTPS
    // and stay blank. Browsers exempt loopback, so no test on one machine shows it.
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      // 'self' covers ws: and wss: of the same host and port (CSP 3): in Safari from 16.0 (WebKit r292266), in Chromium
      // from 71. Older browsers are not supported.
      connectSrc: ["'self'"],
      manifestSrc: ["'self'"],
      workerSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  // Browsers ignore these two over plain HTTP, with a warning in the console.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  crossOriginEmbedderPolicy: false,
  // With `no-referrer` browsers send `Origin: null` on some same-origin posts. See also `originOf` in requestContext.ts.
  referrerPolicy: { policy: 'same-origin' as const },
  frameguard: { action: 'deny' as const },
};
