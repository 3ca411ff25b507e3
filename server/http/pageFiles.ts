/** The files of the built page, read and compressed once, and again when a build has replaced them. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

export interface PageFile {
  /** Weak: it names the content, whichever way it is compressed. */
  etag: string;
  plain: Buffer;
  br: Buffer | undefined;
  gzip: Buffer | undefined;
}

export interface PageFiles {
  /** By path as in the URL, `/index.html` or `/assets/…`: only what was found in the folder can be named at all. */
  find(path: string): Promise<PageFile | undefined>;
}

/**
 * The folder may be missing, and may come or change while the server runs. Files of an earlier build stay: a page that
 * is still open asks for them. `now` in milliseconds.
 */
export function createPageFiles(folder: string, now: () => number): PageFiles {
  const files = new Map<string, PageFile>();
  let stamp = '';
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> = look();

  async function look(): Promise<void> {
    lookedAt = now();
    const found = await stampOf(folder);
    if (found === undefined || found === stamp) return;
    try {
      for (const [path, file] of await readFolder(folder, files)) files.set(path, file);
      stamp = found; // as it was before reading: what changed meanwhile is seen at the next look
    } catch {
      // a build is just replacing the folder: what was read before is served, and the next look finds the rest
    }
  }

  return {
    async find(path) {
      if (ENTRANCES.includes(path) && now() - lookedAt >= LOOK_EVERY_MS) {
        lookedAt = now();
        looking = looking.then(look);
      }
      await looking;
      return files.get(path);
    },
  };
}

/** What a build writes anew, and a browser asks for each time. */
const ENTRANCES = ['/index.html', '/sw.js'];
const LOOK_EVERY_MS = 1_000;

/** Undefined where there is no page. */
async function stampOf(folder: string): Promise<string | undefined> {
  const [index, worker] = await Promise.all(
    ENTRANCES.map((path) =>
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
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder).length));
  return Promise.all(
    paths.map(async (path): Promise<[string, PageFile]> => {
      const name = path.split(sep).join('/');
      const plain = await readFile(join(folder, path));
      const etag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
      const same = before.get(name);
      return [name, same?.etag === etag ? same : { etag, plain, ...(await compress(name, plain)) }];
    }),
  );
}

async function compress(name: string, plain: Buffer): Promise<Pick<PageFile, 'br' | 'gzip'>> {
  if (!COMPRESSIBLE.has(extname(name)) || plain.length < WORTH_BYTES)
    return { br: undefined, gzip: undefined };
  const brotli = promisify(brotliCompress);
  const quality = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  };
  const [br, gz] = await Promise.all([brotli(plain, quality), promisify(gzip)(plain, { level: 9 })]);
  return { br, gzip: gz };
}

const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.json', '.webmanifest', '.svg', '.txt', '.map']);
const WORTH_BYTES = 512;
