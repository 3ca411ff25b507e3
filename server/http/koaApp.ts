/** The Koa application: health checks, the API, and the built page, in the order of their middleware. */
import type { IncomingMessage } from 'node:http';
import Koa from 'koa';
import type { Auth } from '../auth/auth.ts';
import type { Keepers } from '../auth/keepers.ts';
import type { People } from '../auth/people.ts';
import type { Audit, OnLimit } from '../base/audit.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { WorkMeter } from '../limits/workMeter.ts';
import type { HostCheck } from '../request/hostCheck.ts';
import { countFromNothing, type Perform } from '../request/perform.ts';
import type { RequestContext } from '../request/requestContext.ts';
import type { Invitations } from '../rooms/invitations.ts';
import type { Reports } from '../rooms/reports.ts';
import { adminPage } from './adminPage.ts';
import { createApi } from './api.ts';
import {
  answerErrors,
  answerWith,
  cors,
  type HttpMiddleware,
  health,
  isApi,
  logRequests,
  refuseForeignHosts,
  type State,
} from './middleware.ts';
import { type PageFiles, servePage } from './page.ts';
import { securityHeaders } from './securityHeaders.ts';

interface Deps {
  contextOf: (request: IncomingMessage) => RequestContext;
  allowedOrigins: readonly string[];
  auth: Auth;
  keepers: Keepers;
  people: People;
  diskSpace: () => Promise<{ freeBytes: number; totalBytes: number } | undefined>;
  invitations: Invitations;
  reports: Reports;
  perform: Perform;
  work: WorkMeter;
  frameLimiter: Limiter;
  onLimit: OnLimit;
  /** Called with each request whose session is valid. */
  onAuthenticated: (request: IncomingMessage) => void;
  hosts: HostCheck;
  /** True while the store answers and its tail is open. */
  isReady: () => Promise<boolean>;
  page: PageFiles;
  /** Whether there is a page for operators. */
  hasAdmin: boolean;
  metrics: Metrics;
  audit: Audit;
  logger: Logger;
}

/** For `http.createServer(createKoaApp(…).callback())`. */
export function createKoaApp({
  contextOf,
  allowedOrigins,
  auth,
  keepers,
  people,
  diskSpace,
  invitations,
  reports,
  perform,
  work,
  frameLimiter,
  onLimit,
  onAuthenticated,
  hosts,
  isReady,
  page,
  hasAdmin,
  metrics,
  audit,
  logger,
}: Deps): Koa<State> {
  const koa = new Koa<State>();
  const manifest = async () => (await page.find('/manifest.webmanifest'))?.plain.toString();
  const api = createApi({
    auth,
    keepers,
    people,
    diskSpace,
    invitations,
    reports,
    perform,
    work,
    frameLimiter,
    onLimit,
    onAuthenticated,
    metrics,
    manifest,
  });
  countFromNothing(metrics, [...api.stack.flatMap(({ name }) => name ?? []), 'other']);
  koa.use(logRequests(logger));
  koa.use(answerErrors({ metrics, logger }));
  koa.use((ctx, next) => {
    ctx.state.requestContext = contextOf(ctx.req);
    return next();
  });
  koa.use(securityHeaders());
  koa.use(health(isReady)); // before the check of the host: load balancers send any
  koa.use(onlyApi(noStore));
  koa.use(onlyApi(cors(allowedOrigins))); // before the check of the host: an allowed page may read that sentence
  koa.use(refuseForeignHosts(hosts, { metrics, audit }));
  koa.use(onlyApi(answerUnanswered));
  koa.use(api.routes());
  koa.use(api.allowedMethods());
  koa.use(adminPage(hasAdmin));
  koa.use(servePage(page));
  // Only a connection that was lost while its answer was sent: `answerErrors` has handled all else.
  koa.on('error', (error) => logger.debug({ err: error }, 'HTTP answer could not be sent'));
  return koa;
}

function onlyApi(middleware: HttpMiddleware): HttpMiddleware {
  return (ctx, next) => (isApi(ctx.path) ? middleware(ctx, next) : next());
}

const noStore: HttpMiddleware = (ctx, next) => {
  ctx.set('Cache-Control', 'no-store');
  ctx.vary('Cookie, Authorization');
  return next();
};

/** Gives the router's empty 404, 405 and 501 a body in our shape: clients take only an error in that shape as permanent. */
const answerUnanswered: HttpMiddleware = async (ctx, next) => {
  await next();
  const { status } = ctx;
  if (ctx.body) return;
  if (status === 404) answerWith(ctx, { code: 'not-found', message: 'There is nothing at this path.' });
  if (status !== 405 && status !== 501) return;
  answerWith(ctx, { code: 'invalid', message: `${ctx.method} is not possible here.` });
  ctx.status = 405;
};
