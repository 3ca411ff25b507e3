/** Koa: health, the API, and the page. What it answers is decided elsewhere; here it is put in order. */
import Koa from 'koa';
import type { Auth } from '../auth/auth.ts';
import type { Config } from '../base/env.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { Perform } from '../perform.ts';
import { createApi } from './api.ts';
import { isApi, type State, type Step } from './context.ts';
import { cors } from './cors.ts';
import { answerErrors, answerWith } from './errors.ts';
import { securityHeaders } from './headers.ts';
import { health } from './health.ts';
import { servePage } from './page.ts';
import type { PageFiles } from './pageFiles.ts';
import { visitOf } from './visit.ts';

interface Deps {
  config: Pick<Config, 'publicOrigin' | 'trustProxy' | 'allowedOrigins'>;
  auth: Auth;
  perform: Perform;
  frameLimiter: Limiter;
  /** Whether the store answers and its tail is open. */
  ready: () => Promise<boolean>;
  page: PageFiles;
  metrics: Metrics;
  logger: Logger;
}

/** For `http.createServer(createHttp(…).callback())`. */
export function createHttp({
  config,
  auth,
  perform,
  frameLimiter,
  ready,
  page,
  metrics,
  logger,
}: Deps): Koa<State> {
  const koa = new Koa<State>();
  const api = createApi({ auth, perform, frameLimiter, metrics });
  koa.use(answerErrors({ metrics, logger }));
  koa.use((ctx, next) => {
    ctx.state.visit = visitOf(ctx.req, config);
    return next();
  });
  koa.use(securityHeaders());
  koa.use(health(ready));
  koa.use(onlyApi(noStore));
  koa.use(onlyApi(cors(config.allowedOrigins)));
  koa.use(onlyApi(answerUnanswered));
  koa.use(api.routes());
  koa.use(api.allowedMethods());
  koa.use(servePage(page));
  // A connection that went away in the middle of an answer; all else was answered and logged by `answerErrors`.
  koa.on('error', (error) => logger.debug({ err: error }, 'an answer could not be sent'));
  return koa;
}

function onlyApi(step: Step): Step {
  return (ctx, next) => (isApi(ctx.path) ? step(ctx, next) : next());
}

const noStore: Step = (ctx, next) => {
  ctx.set('Cache-Control', 'no-store');
  ctx.vary('Cookie, Authorization');
  return next();
};

/** The router's bare 404, 405 and 501 in our shape: only that may be taken as permanent. */
const answerUnanswered: Step = async (ctx, next) => {
  await next();
  const { status } = ctx;
  if (ctx.body) return;
  if (status === 404) answerWith(ctx, { code: 'not-found', message: 'There is nothing at this path.' });
  if (status !== 405 && status !== 501) return;
  answerWith(ctx, { code: 'invalid', message: `${ctx.method} is not possible here.` });
  ctx.status = 405;
};
