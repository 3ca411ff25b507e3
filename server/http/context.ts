import type { Context, Middleware } from 'koa';
import type { Visit } from './visit.ts';

/** What our middleware leaves on a request for the next ones. */
export interface State {
  visit: Visit;
}

export function isApi(path: string): boolean {
  return path === '/api' || path.startsWith('/api/');
}

export type Step = Middleware<State>;
export type Ctx = Parameters<Step>[0] & Context;
