/** Security headers. Two sets: over plain HTTP, some of them would break the page or do nothing but warn. */
import helmet from 'koa-helmet';
import type { Step } from './context.ts';

/** By the scheme that the browser sees, which a proxy may have ended for us. */
export function securityHeaders(): Step {
  const plain = helmet(common);
  const secure = helmet({ ...common, crossOriginOpenerPolicy: true, originAgentCluster: true });
  const secureForGood = helmet({
    ...common,
    crossOriginOpenerPolicy: true,
    originAgentCluster: true,
    // This host only: what else runs under this domain is not ours to decide.
    strictTransportSecurity: { maxAge: HSTS_S, includeSubDomains: false },
  });

  return (ctx, next) => {
    ctx.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()');
    const { own } = ctx.state.visit;
    if (!own?.startsWith('https:')) return plain(ctx, next);
    // HSTS holds for all ports of a host: on localhost it would lock a developer out of every other project there.
    return new URL(own).hostname === 'localhost' ? secure(ctx, next) : secureForGood(ctx, next);
  };
}

const HSTS_S = 180 * 24 * 60 * 60;

const common = {
  contentSecurityPolicy: {
    // helmet's own has `upgrade-insecure-requests`, by which a page of plain HTTP asks for its scripts over HTTPS and
    // stays blank; on loopback browsers make an exception, so no test on one machine shows it.
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      // 'self' covers ws: and wss: of the same host and port (CSP 3); Safari has it so from 16.0 (WebKit r292266),
      // Chromium from 71, and we support nothing older.
      connectSrc: ["'self'"],
      manifestSrc: ["'self'"],
      workerSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  // Both are ignored, with a warning in the console, where the page is not over HTTPS.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  crossOriginEmbedderPolicy: false,
  // With `no-referrer` browsers say `Origin: null` on some same-origin posts; see also origin.ts.
  referrerPolicy: { policy: 'same-origin' as const },
  frameguard: { action: 'deny' as const },
};
