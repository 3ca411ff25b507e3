/**
 * Serves the built page from memory: its files are read once, and again when a new build has replaced them. The build has
 * compressed them (vite.config.ts); a file that it has not is compressed here. Files of an earlier build stay available, since a page that is still open loads its chunks.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants, gzip } from 'node:zlib';
import { type HttpContext, type HttpMiddleware, isApi } from './middleware.ts';

/** Serves files by their exact path. Other navigations get the page, which routes paths such as `/room/…` itself. */
export function servePage(files: PageFiles): HttpMiddleware {
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    if (isApi(ctx.path) || ctx.path.startsWith('/socket.io/')) return next();
    const path = ctx.path === '/' ? '/index.html' : ctx.path;
    const file = await files.find(path);
    if (file) return sendFile(ctx, path, file);
    const isPage = path === '/index.html' || isNavigation(ctx);
    const page = isPage ? await files.find('/index.html') : undefined;
    if (page) return sendFile(ctx, '/index.html', page);
    ctx.status = 404;
    ctx.type = 'text';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = isPage ? NOT_BUILT : 'There is nothing here.\n';
  };
}

const NOT_BUILT =
  'The page is not built yet: run "npm run build" in the folder of this server, then reload.\n';

function isNavigation(ctx: HttpContext): boolean {
  return ctx.get('Accept').includes('text/html') && extname(ctx.path) === '';
}

export function sendFile(ctx: HttpContext, path: string, file: PageFile): void {
  ctx.status = 200;
  ctx.type = extname(path);
  ctx.set('Cache-Control', isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
  ctx.set('ETag', file.etag);
  ctx.vary('Accept-Encoding');
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  // Our preference, not the client's: browsers list all encodings that they support, gzip first.
  const accepted = [ctx.acceptsEncodings()].flat();
  const encoding = ['br', 'gzip'].find((name) => accepted.includes(name));
  const smaller = encoding === 'br' ? file.br : encoding === 'gzip' ? file.gzip : undefined;
  if (smaller && encoding) ctx.set('Content-Encoding', encoding);
  ctx.body = smaller ?? file.plain;
}

/** The names of all files under `assets` contain a hash of their content (Vite). */
function isHashed(path: string): boolean {
  return path.startsWith('/assets/');
}

export interface PageFile {
  /** Weak: the same for each content encoding. */
  etag: string;
  plain: Buffer;
  br: Buffer | undefined;
  gzip: Buffer | undefined;
}

export interface PageFiles {
  /** `path` as in the URL: `/index.html`, `/assets/…`. A lookup among known files, so no path can leave the folder. */
  find(path: string): Promise<PageFile | undefined>;
}

/** `folder` may be missing, and may appear or change while the server runs. `now` in milliseconds. */
export function createPageFiles(folder: string, now: () => number): PageFiles {
  const files = new Map<string, PageFile>();
  let stamp = '';
  let checkedAt = Number.NEGATIVE_INFINITY;
  let checking: Promise<void> = check();

  async function check(): Promise<void> {
    checkedAt = now();
    const found = await stampOf(folder);
    if (found === undefined || found === stamp) return;
    try {
      for (const [path, file] of await readFolder(folder, files)) files.set(path, file);
      stamp = found; // the stamp from before the read, so that a change during the read is found by the next check
    } catch {
      // A build is replacing the folder right now: serve the files read before; the next check reads the new ones.
    }
  }

  return {
    async find(path) {
      if (ENTRY_FILES.includes(path) && now() - checkedAt >= CHECK_EVERY_MS) {
        checkedAt = now();
        checking = checking.then(check);
      }
      await checking;
      return files.get(path);
    },
  };
}

/** Rewritten by every build, and requested by browsers on every visit. */
const ENTRY_FILES = ['/index.html', '/sw.js'];
const CHECK_EVERY_MS = 1_000;

/** Identifies a build; undefined when there is none. */
async function stampOf(folder: string): Promise<string | undefined> {
  const [index, worker] = await Promise.all(
    ENTRY_FILES.map((path) =>
      stat(join(folder, path)).then(
        ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
        () => undefined,
      ),
    ),
  );
  return index === undefined ? undefined : `${index}, ${worker}`;
}

async function readFolder(
  folder: string,
  before: ReadonlyMap<string, PageFile>,
): Promise<[string, PageFile][]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = names
    .filter((entry) => entry.isFile() && extname(entry.name) !== COMPRESSED)
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder).length));
  return Promise.all(
    paths.map(async (path): Promise<[string, PageFile]> => {
      const name = path.split(sep).join('/');
      const plain = await readFile(join(folder, path));
      const same = before.get(name);
      return [name, same?.etag === etagOf(plain) ? same : await builtFileOf(join(folder, path), name, plain)];
    }),
  );
}

/** What the build writes beside a file: the file compressed with Brotli. */
const COMPRESSED = '.br';

async function builtFileOf(path: string, name: string, plain: Buffer): Promise<PageFile> {
  const built = await readFile(path + COMPRESSED).catch(() => undefined);
  const isOfThis = built && (await isCompressed(built, plain));
  return isOfThis
    ? { etag: etagOf(plain), plain, br: built, gzip: await gzipped(plain) }
    : fileOf(name, plain);
}

/** Somebody may have changed the file since. */
function isCompressed(built: Buffer, plain: Buffer): Promise<boolean> {
  return promisify(brotliDecompress)(built, { maxOutputLength: plain.length }).then(
    (text) => text.equals(plain),
    () => false,
  );
}

/** `name`: its extension says whether it can be compressed. `quality`: of brotli; 10 takes seconds for a megabyte, 5 a fifth of one. */
export async function fileOf(name: string, plain: Buffer, quality = 10): Promise<PageFile> {
  return { etag: etagOf(plain), plain, ...(await compress(name, plain, quality)) };
}

function etagOf(plain: Buffer): string {
  return `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
}

async function compress(
  name: string,
  plain: Buffer,
  quality: number,
): Promise<Pick<PageFile, 'br' | 'gzip'>> {
  if (!COMPRESSIBLE.has(extname(name)) || plain.length < COMPRESS_FROM_BYTES)
    return { br: undefined, gzip: undefined };
  const brotli = promisify(brotliCompress);
  const options = {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  };
  const [br, gz] = await Promise.all([brotli(plain, options), gzipped(plain)]);
  return { br, gzip: gz };
}

function gzipped(plain: Buffer): Promise<Buffer> {
  return promisify(gzip)(plain, { level: 9 });
}

const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.json', '.webmanifest', '.svg', '.txt', '.map']);
const COMPRESS_FROM_BYTES = 512;
