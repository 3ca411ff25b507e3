import type { Step } from './context.ts';
import { answerWith } from './errors.ts';

/** `/healthz`: the process lives. `/readyz`: requests can be taken, else 503. For whoever runs or balances processes. */
export function health(ready: () => Promise<boolean>): Step {
  return async (ctx, next) => {
    const asked = ctx.method === 'GET' || ctx.method === 'HEAD' ? ctx.path : '';
    if (asked !== '/healthz' && asked !== '/readyz') return next();
    ctx.set('Cache-Control', 'no-store');
    if (asked === '/healthz' || (await ready().catch(() => false))) ctx.body = { ok: true };
    else
      answerWith(ctx, {
        code: 'unavailable',
        message: 'The store does not answer, or its tail is not open.',
      });
  };
}
