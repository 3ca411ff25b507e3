/**
 * The configuration: parses the environment variables once, at start. An empty value counts as absent. White space around a
 * value does not count; around a path, of which it may be a part, it is refused.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { BCRYPT_COST_MAX, BCRYPT_COST_MIN } from './serverLimits.ts';

export interface Config {
  port: number;
  host: string;
  /** The folder of the SQLite database; not used if there is a `mongodbUrl`. */
  data: string;
  /** Contains the password: never print it. */
  mongodbUrl: string | undefined;
  /** The origin that browsers use, if it cannot be derived from requests. */
  publicOrigin: string | undefined;
  allowedOrigins: readonly string[];
  trustProxy: TrustProxy;
  signUp: SignUp;
  /** Processes that share the port. */
  workers: number;
  /** Between `/readyz` 503 and the end of listening, at a stop. */
  drainMs: number;
  tls: Tls | undefined;
  /** The page and namespace `/admin`; undefined: there is none. `mayChange`: operators may end connections. */
  admin: { passwordHash: string; mayChange: boolean } | undefined;
  logLevel: LogLevel;
  /** True: security events are written to the log (audit.ts). */
  auditLog: boolean;
  metricsPort: number | undefined;
  /** The address that the metrics listen on. */
  metricsHost: string;
  /** The folder of the built page. */
  page: string;
}

/** Whose `X-Forwarded-…` headers are trusted: nobody's, those of a number of proxies, or those of proxies at these addresses. */
export type TrustProxy =
  | { tag: 'nobody' }
  | { tag: 'hops'; hops: number }
  | { tag: 'addresses'; addresses: BlockList };

/** Whether strangers may become users. */
export type SignUp = 'open' | 'invite' | 'closed';

export interface Tls {
  cert: Buffer;
  key: Buffer;
  /** Where they were read from. */
  certFile: string;
  keyFile: string;
}

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The configuration is wrong. The message has one sentence per mistake, for all mistakes. */
export class ConfigError extends Error {
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}

/**
 * Throws `ConfigError` with all mistakes. Reads the files of the TLS certificate and its key; where they cannot be used, the
 * pair is `tlsInUse`.
 */
export function parseEnv(
  env: Record<string, string | undefined>,
  tlsInUse?: Pick<Tls, 'cert' | 'key'>,
): Config {
  const given = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value?.trim() ? [[name, PATHS.has(name) ? value : value.trim()]] : [],
    ),
  );
  const parsed = v.safeParse(Env, given);
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = given;
  const read = readTls(certFile, keyFile);
  const isReplaced = read.mistakes.length > 0 && tlsInUse && certFile !== undefined && keyFile !== undefined;
  const tls: typeof read = isReplaced ? { pair: { ...tlsInUse, certFile, keyFile }, mistakes: [] } : read;
  const mistakes = [...(parsed.issues ?? []).map((issue) => issue.message), ...tls.mistakes];
  if (!parsed.success || mistakes.length > 0) throw new ConfigError(mistakes);
  const {
    PORT,
    HOST,
    DATA,
    MONGODB_URL,
    PUBLIC_ORIGIN,
    ALLOWED_ORIGINS,
    TRUST_PROXY,
    SIGN_UP,
    WORKERS,
    DRAIN_SECONDS,
    LOG_LEVEL,
    AUDIT_LOG,
    ADMIN_PASSWORD_HASH,
    ADMIN_CHANGES,
    METRICS_PORT,
    METRICS_HOST,
    PAGE,
  } = parsed.output;
  return {
    port: PORT,
    host: HOST,
    data: DATA,
    mongodbUrl: MONGODB_URL,
    publicOrigin: PUBLIC_ORIGIN,
    allowedOrigins: ALLOWED_ORIGINS ?? [],
    trustProxy: TRUST_PROXY,
    signUp: SIGN_UP,
    workers: WORKERS,
    drainMs: 1_000 * DRAIN_SECONDS,
    tls: tls.pair,
    admin:
      ADMIN_PASSWORD_HASH === undefined
        ? undefined
        : { passwordHash: ADMIN_PASSWORD_HASH, mayChange: ADMIN_CHANGES },
    logLevel: LOG_LEVEL,
    auditLog: AUDIT_LOG,
    metricsPort: METRICS_PORT,
    metricsHost: METRICS_HOST ?? LOOPBACK,
    page: PAGE,
  };
}

/** Settings that are paths of files and folders. */
const PATHS: ReadonlySet<string> = new Set(['DATA', 'PAGE', 'TLS_CERT_FILE', 'TLS_KEY_FILE']);
const PATH_FORM = 'a path that neither begins nor ends with white space';
const LOOPBACK = '127.0.0.1';
const WORKERS_MAX = 64;
const DRAIN_MAX_SECONDS = 300;

const port = (name: string) =>
  setting(name, 'a whole number from 0 to 65535', (text) => {
    const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    return value <= 65_535 ? value : undefined;
  });

const listenOn = (name: string) =>
  setting(name, 'an address or a host name to listen on', (text) => (/[\s/]/.test(text) ? undefined : text));

const MONGODB_FORM =
  'mongodb://host:port/database or mongodb+srv://host/database, with special characters in user and password percent-encoded';

const BCRYPT_FORM = `a bcrypt hash of the cost ${BCRYPT_COST_MIN} to ${BCRYPT_COST_MAX}: "npm run admin-password" makes one of a password. Write it in single quotes, since a shell replaces what follows a $`;

const onOrOff = (name: string) =>
  setting(name, 'on or off', (text) => (text === 'on' || text === 'off' ? text === 'on' : undefined));

const Env = v.pipe(
  v.object({
    PORT: v.optional(port('PORT'), '3000'),
    HOST: v.optional(listenOn('HOST'), '0.0.0.0'),
    DATA: v.optional(setting('DATA', PATH_FORM, toPath), './data'),
    MONGODB_URL: v.optional(secret('MONGODB_URL', MONGODB_FORM, toMongodbUrl)),
    PUBLIC_ORIGIN: v.optional(
      setting(
        'PUBLIC_ORIGIN',
        'one origin with no path, such as https://chat.example.org (others go to ALLOWED_ORIGINS)',
        toOrigin,
      ),
    ),
    ALLOWED_ORIGINS: v.optional(
      setting(
        'ALLOWED_ORIGINS',
        'origins with no path, such as https://a.example.org,https://b.example.org (each by its name: browsers do not accept * together with credentials)',
        (text) => every(commaList(text), toOrigin),
      ),
    ),
    TRUST_PROXY: v.optional(
      setting(
        'TRUST_PROXY',
        'the number of proxies in front of this server (1), or their addresses (10.0.0.0/8,::1)',
        toTrust,
      ),
      'false',
    ),
    SIGN_UP: v.optional(
      setting('SIGN_UP', 'open, invite or closed', (text) =>
        (['open', 'invite', 'closed'] as const).find((one) => one === text),
      ),
      'open',
    ),
    WORKERS: v.optional(
      setting('WORKERS', `a whole number from 1 to ${WORKERS_MAX}`, (text) =>
        /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= WORKERS_MAX ? Number(text) : undefined,
      ),
      '1',
    ),
    DRAIN_SECONDS: v.optional(
      setting('DRAIN_SECONDS', `a whole number from 0 to ${DRAIN_MAX_SECONDS}`, (text) =>
        /^\d{1,3}$/.test(text) && Number(text) <= DRAIN_MAX_SECONDS ? Number(text) : undefined,
      ),
      '0',
    ),
    LOG_LEVEL: v.optional(
      setting('LOG_LEVEL', `one of ${LOG_LEVELS.join(', ')}`, (text) =>
        LOG_LEVELS.find((level) => level === text),
      ),
      'info',
    ),
    AUDIT_LOG: v.optional(onOrOff('AUDIT_LOG'), 'on'),
    ADMIN_PASSWORD_HASH: v.optional(secret('ADMIN_PASSWORD_HASH', BCRYPT_FORM, toBcryptHash)),
    ADMIN_CHANGES: v.optional(onOrOff('ADMIN_CHANGES'), 'off'),
    METRICS_PORT: v.optional(port('METRICS_PORT')),
    METRICS_HOST: v.optional(listenOn('METRICS_HOST')),
    TLS_CERT_FILE: v.optional(v.string()),
    PAGE: v.optional(
      setting('PAGE', PATH_FORM, toPath),
      fileURLToPath(new URL('../../dist', import.meta.url)),
    ),
  }),
  v.check(
    (env) => env.METRICS_PORT === undefined || env.METRICS_PORT === 0 || env.METRICS_PORT !== env.PORT,
    'METRICS_PORT is the same as PORT: the metrics need their own port.',
  ),
  v.check(
    ({ METRICS_HOST = LOOPBACK, METRICS_PORT }) => METRICS_HOST === LOOPBACK || METRICS_PORT !== undefined,
    'METRICS_HOST is set, but METRICS_PORT is not: without a port there are no metrics.',
  ),
  v.check(
    ({ ADMIN_CHANGES, ADMIN_PASSWORD_HASH }) => !ADMIN_CHANGES || ADMIN_PASSWORD_HASH !== undefined,
    'ADMIN_CHANGES is on, but ADMIN_PASSWORD_HASH is not set: without a password there is no page for operators.',
  ),
  v.check(
    ({ WORKERS, MONGODB_URL }) => WORKERS === 1 || MONGODB_URL !== undefined,
    'WORKERS is more than 1, but a database file serves one process: set MONGODB_URL to a MongoDB replica set, or leave WORKERS out.',
  ),
  v.check(
    ({ WORKERS, TLS_CERT_FILE, TRUST_PROXY }) =>
      WORKERS === 1 || TLS_CERT_FILE === undefined || TRUST_PROXY.tag === 'nobody',
    'WORKERS is more than 1, with TLS_CERT_FILE and TRUST_PROXY: all connections of a proxy would go to one worker. Let the proxy speak plain HTTP to this server, or leave WORKERS out.',
  ),
);

/** A setting that `parse` accepts; otherwise a sentence that says what it must be. */
function setting<T>(name: string, form: string, parse: (text: string) => T | undefined) {
  return parsed((text) => `${name} is "${text}": it must be ${form}.`, parse);
}

/** A setting that may contain a password: the sentence does not repeat its value. */
function secret<T>(name: string, form: string, parse: (text: string) => T | undefined) {
  return parsed(() => `${name} must be ${form}.`, parse);
}

function parsed<T>(sentence: (text: string) => string, parse: (text: string) => T | undefined) {
  return v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message: sentence(dataset.value) });
      return NEVER;
    }),
  );
}

function toPath(text: string): string | undefined {
  return text === text.trim() ? text : undefined;
}

/** Checks only the general form; the driver validates the rest. */
function toMongodbUrl(text: string): string | undefined {
  return /^mongodb(\+srv)?:\/\/([^@/?\s]+@)?[^@/?\s]+(\/[^/?\s]*)?(\?\S*)?$/.test(text) ? text : undefined;
}

function toBcryptHash(text: string): string | undefined {
  const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1]);
  return cost >= BCRYPT_COST_MIN && cost <= BCRYPT_COST_MAX ? text : undefined;
}

/**
 * A name is compared as browsers send it: with a `*`, a comma or a dot at its end it would match nothing, or the server would
 * not answer under its own name.
 */
function toOrigin(text: string): string | undefined {
  if (!URL.canParse(text) || /[*,]/.test(text)) return undefined;
  const url = new URL(text);
  const bare = url.href === `${url.origin}/` && !url.hostname.endsWith('.');
  return bare && (url.protocol === 'http:' || url.protocol === 'https:') ? url.origin : undefined;
}

function toTrust(text: string): TrustProxy | undefined {
  if (text === 'false' || text === '0') return { tag: 'nobody' };
  if (text === 'true') return { tag: 'hops', hops: 1 };
  if (/^\d$/.test(text)) return { tag: 'hops', hops: Number(text) };
  const addresses = new BlockList();
  return every(commaList(text), (item) => addNetwork(addresses, item)) && { tag: 'addresses', addresses };
}

function addNetwork(list: BlockList, item: string): true | undefined {
  const [address = '', bits, ...rest] = item.split('/');
  const version = isIP(address);
  const widest = version === 6 ? 128 : 32;
  if (
    version === 0 ||
    rest.length > 0 ||
    (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= widest))
  ) {
    return undefined;
  }
  list.addSubnet(address, bits === undefined ? widest : Number(bits), version === 6 ? 'ipv6' : 'ipv4');
  return true;
}

function commaList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Undefined for an empty list, too: it is not known what a text of commas alone means. */
function every<T>(items: string[], parse: (item: string) => T | undefined): T[] | undefined {
  const parsed = items.map(parse).filter((item) => item !== undefined);
  return items.length > 0 && parsed.length === items.length ? parsed : undefined;
}

/** Reads certificate and key. Without both files there is no pair. A mistake is a sentence; with a mistake there is no pair. */
export function readTls(certFile?: string, keyFile?: string): { pair?: Tls; mistakes: string[] } {
  if (certFile === undefined && keyFile === undefined) return { mistakes: [] };
  if (certFile === undefined)
    return { mistakes: ['TLS_KEY_FILE is set but TLS_CERT_FILE is not: HTTPS needs both.'] };
  if (keyFile === undefined)
    return { mistakes: ['TLS_CERT_FILE is set but TLS_KEY_FILE is not: HTTPS needs both.'] };
  const cert = readAs(
    'TLS_CERT_FILE',
    certFile,
    'a certificate in PEM',
    (bytes) => new X509Certificate(bytes),
  );
  const key = readAs('TLS_KEY_FILE', keyFile, 'an unencrypted private key in PEM', (bytes) =>
    createPrivateKey(bytes),
  );
  const mistakes = [cert, key].flatMap((file) => (file.tag === 'mistake' ? [file.sentence] : []));
  if (cert.tag === 'mistake' || key.tag === 'mistake') return { mistakes };
  if (!cert.content.checkPrivateKey(key.content)) {
    return { mistakes: ['TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE.'] };
  }
  return { pair: { cert: cert.bytes, key: key.bytes, certFile, keyFile }, mistakes };
}

type ReadFile<T> = { tag: 'read'; bytes: Buffer; content: T } | { tag: 'mistake'; sentence: string };

function readAs<T>(name: string, file: string, form: string, parse: (bytes: Buffer) => T): ReadFile<T> {
  if (toPath(file) === undefined)
    return { tag: 'mistake', sentence: `${name} is "${file}": it must be ${PATH_FORM}.` };
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    return { tag: 'mistake', sentence: `${name} is "${file}": it cannot be read (${why}).` };
  }
  try {
    return { tag: 'read', bytes, content: parse(bytes) };
  } catch {
    return { tag: 'mistake', sentence: `${name} is "${file}": it is not ${form}.` };
  }
}
