import type { Step } from './context.ts';

/** For pages of `ALLOWED_ORIGINS` only; with none set, nothing of this is ever said. */
export function cors(allowedOrigins: readonly string[]): Step {
  if (allowedOrigins.length === 0) return (_ctx, next) => next();

  return async (ctx, next) => {
    ctx.vary('Origin');
    if (ctx.state.visit.origin !== 'allowed' || ctx.get('Origin') === '') return next();
    ctx.set('Access-Control-Allow-Origin', ctx.get('Origin'));
    ctx.set('Access-Control-Allow-Credentials', 'true');
    ctx.set('Access-Control-Expose-Headers', 'Retry-After');
    const isPreflight = ctx.method === 'OPTIONS' && ctx.get('Access-Control-Request-Method') !== '';
    if (!isPreflight) return next();
    ctx.set('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE');
    ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type');
    ctx.set('Access-Control-Max-Age', '600');
    ctx.status = 204;
  };
}
