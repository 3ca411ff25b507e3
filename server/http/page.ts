/** The built page, out of memory. */
import { extname } from 'node:path';
import { type Ctx, isApi, type Step } from './context.ts';
import type { PageFile, PageFiles } from './pageFiles.ts';

/** Files by their exact path; for other navigations the page itself, which knows its own paths (`/room/…`). */
export function servePage(files: PageFiles): Step {
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    if (isApi(ctx.path) || ctx.path.startsWith('/socket.io/')) return next();
    const path = ctx.path === '/' ? '/index.html' : ctx.path;
    const file = await files.find(path);
    if (file) return answer(ctx, path, file);
    const isPage = path === '/index.html' || isNavigation(ctx);
    const page = isPage ? await files.find('/index.html') : undefined;
    if (page) return answer(ctx, '/index.html', page);
    ctx.status = 404;
    ctx.type = 'text';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = isPage ? NOT_BUILT : 'There is nothing here.\n';
  };
}

const NOT_BUILT = 'The page is not built yet: run "npm run build" beside this server, then reload.\n';

function isNavigation(ctx: Ctx): boolean {
  return ctx.get('Accept').includes('text/html') && extname(ctx.path) === '';
}

function answer(ctx: Ctx, path: string, file: PageFile): void {
  ctx.status = 200;
  ctx.type = extname(path);
  ctx.set('Cache-Control', isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
  ctx.set('ETag', file.etag);
  ctx.vary('Accept-Encoding');
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  // Not the first that the client names: browsers name all they can read, gzip first.
  const accepted = [ctx.acceptsEncodings()].flat();
  const encoding = ['br', 'gzip'].find((name) => accepted.includes(name));
  const smaller = encoding === 'br' ? file.br : encoding === 'gzip' ? file.gzip : undefined;
  if (smaller && encoding) ctx.set('Content-Encoding', encoding);
  ctx.body = smaller ?? file.plain;
}

/** Vite puts the hash of its content into the name of whatever is under `assets`. */
function isHashed(path: string): boolean {
  return path.startsWith('/assets/');
}
