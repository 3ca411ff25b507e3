/**
 * The page for operators at `/admin/`: the files of @socket.io/admin-ui, with icons from here instead of from a third party.
 * Without ADMIN_PASSWORD_HASH there is nothing there.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { HttpMiddleware } from './middleware.ts';
import { fileOf, type PageFile, sendFile } from './page.ts';

export function adminPage(isOn: boolean): HttpMiddleware {
  const files = isOn ? createAdminFiles() : async () => undefined;
  return async (ctx, next) => {
    if (ctx.path !== '/admin' && !ctx.path.startsWith('/admin/')) return next();
    const path = ctx.path.slice('/admin'.length);
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    const file = isOn && isRead ? await files(path === '/' ? '/index.html' : path) : undefined;
    if (isOn && isRead && path === '') return ctx.redirect('/admin/');
    if (file) {
      ctx.set('Content-Security-Policy', POLICY);
      return sendFile(ctx, path === '/' ? '/index.html' : path, file);
    }
    ctx.status = 404;
    ctx.type = 'text';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = 'There is nothing here.\n';
  };
}

/** As the app's (securityHeaders.ts), with fonts and with the style sheet that Vuetify makes in the page. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

/** Reads and compresses a file when it is first asked for. A lookup among known files, so no path can leave the folders. */
function createAdminFiles(): (path: string) => Promise<PageFile | undefined> {
  const require = createRequire(import.meta.url);
  const page = join(dirname(require.resolve('@socket.io/admin-ui')), '../ui/dist');
  const icons = dirname(require.resolve('@mdi/font/package.json'));
  const read = new Map<string, Promise<PageFile>>();
  let index: Promise<string> | undefined;

  /** Undefined for a path that is not of the page. */
  async function contentOf(path: string): Promise<Buffer | undefined> {
    index ??= readFile(join(page, 'index.html'), 'utf8').then(withoutThirdParties);
    if (path === '/index.html') return Buffer.from(await index);
    if (path === '/first.js') return Buffer.from(FIRST);
    if (ICONS.includes(path)) return readFile(join(icons, path.slice('/icons/'.length)));
    const isOfPage = (await index).includes(`"${path.slice(1)}"`) || LOGOS.test(path);
    return isOfPage ? readFile(join(page, path)) : undefined;
  }

  return async (path) => {
    const known = read.get(path);
    if (known) return known;
    const plain = await contentOf(path).catch(() => undefined);
    if (!plain) return undefined;
    const file = read.get(path) ?? fileOf(path, plain, 5);
    read.set(path, file);
    return file;
  };
}

const ICONS = ['/icons/css/materialdesignicons.min.css', '/icons/fonts/materialdesignicons-webfont.woff2'];
/** They are named in the script. */
const LOGOS = /^\/img\/logo-(dark|light)\.\w+\.svg$/;

/** The package's page loads a font and the icons from elsewhere. */
function withoutThirdParties(html: string): string {
  return html
    .replaceAll(/<link rel="stylesheet" href="https:[^>]*>/g, '')
    .replace('</head>', '<link href="icons/css/materialdesignicons.min.css" rel="stylesheet"></head>')
    .replace('<script', '<script src="first.js"></script><script');
}

/** The page asks for the address of the server, and by default begins with long polling, which needs sticky sessions. */
const FIRST = `if (!localStorage.getItem('server_url')) {
  localStorage.setItem('server_url', location.origin);
  localStorage.setItem('ws_only', 'true');
}
`;
