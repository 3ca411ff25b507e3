/** Import rules beside the layers: which modules are pure, and which folders may append, emit `entries` or name a store adapter. */
import { importsOf, type Source, STRING, withoutComments } from './sources.ts';

/** Pure modules: they get time, randomness, sockets and databases as arguments. A name that ends in / is a folder. */
export const PURE = [
  'shared/',
  'web/outbox/outboxReducer.ts',
  'web/transport/connection.ts',
  'web/records/spans.ts',
  'server/limits/bucket.ts',
  'server/store/mongo/append/',
  'web/outbox/appendBatch.ts',
  'web/outbox/appendBatch.ts',
  'web/transport/transitions.ts',
  'web/transport/browserHints.ts',
  'web/transport/transportState.ts',
];

/** One sentence per violation. */
export function importProblems(sources: readonly Source[]): string[] {
  return [...sources.flatMap(problemsOf), ...missingPure(sources)];
}

function problemsOf({ path, text }: Source): string[] {
  const code = withoutComments(text);
  return [
    ...importsOf({ path, text }).flatMap(({ specifier, target }) => wall(path, specifier, target)),
    ...RULES.filter((rule) => rule.breaks(path, code)).map((rule) => `${path}: ${rule.sentence}`),
    ...(isPure(path) ? impure(path, code) : []),
  ];
}

function wall(path: string, specifier: string, target: string | undefined): string[] {
  const [from] = path.split('/');
  const [to] = target?.split('/') ?? [];
  const says = (sentence: string) => [`${path} imports ${specifier}: ${sentence}`];
  if (from === 'shared' && target === undefined && specifier !== 'valibot')
    return says('shared imports valibot and itself');
  if (target === undefined) return [];
  if (from === 'shared' && to !== 'shared') return says('shared imports nothing of ours outside shared');
  if (from === 'server' && to === 'web') return says('the server never imports the page');
  if (from === 'web' && to === 'server') return says('the page never imports the server');
  if (to === 'test') return says('production code imports no test');
  const adapter = /^server\/store\/(?:sqlite|mongo)\//.exec(target)?.[0];
  if (adapter && !CHOOSE_STORE.has(path) && !path.startsWith(adapter))
    return says(`only ${[...CHOOSE_STORE].join(', ')} name a store adapter`);
  if (path.startsWith('web/view/') && BEHIND_THE_CLIENT.test(target) && target !== CLIENT)
    return says(`a view sees the client only through ${CLIENT}`);
  return [];
}

const CLIENT = 'web/state/model.ts';
const BEHIND_THE_CLIENT = /^web\/(?:db|log|outbox|transport|engine|state)\//;

/** The entry points of the server process and of the operator's commands. */
const CHOOSE_STORE: ReadonlySet<string> = new Set([
  'server/main.ts',
  'server/backup/main.ts',
  'server/upgrade/main.ts',
  'server/keeper/main.ts',
  'server/migrate/main.ts',
]);

interface Rule {
  sentence: string;
  breaks(path: string, code: string): boolean;
}

const RULES: Rule[] = [
  {
    sentence: "only server/ingest calls the store log's append",
    breaks: (path, code) =>
      path.startsWith('server/') &&
      !/^server\/(?:ingest|store)\//.test(path) &&
      /\blog\s*\??\.\s*append\s*\(/.test(code),
  },
  {
    sentence: "only server/feed emits 'entries'",
    breaks: (path, code) =>
      path.startsWith('server/') &&
      !path.startsWith('server/feed/') &&
      /\bemit\s*\(\s*(['"`])entries\1/.test(code),
  },
  {
    sentence: "the server's wall clock is the store's (`now`), and what lasts goes by a monotonic clock",
    breaks: (path, code) =>
      path.startsWith('server/') &&
      !path.startsWith('server/store/') &&
      !CHOOSE_STORE.has(path) &&
      /\bDate\.now\b/.test(code),
  },
];

function impure(path: string, code: string): string[] {
  const bare = code.replace(STRING, "''");
  return IMPURE.filter((pattern) => pattern.test(bare)).map(
    (pattern) =>
      `${path}: a pure module takes time, randomness, socket and database as arguments; it uses ${pattern.source}`,
  );
}

const IMPURE = [
  /\bDate\.now\b/,
  /\bnew Date\(\)/,
  /\bMath\.random\b/,
  /\bperformance\b/,
  /\bcrypto\b/,
  /\bfetch\b/,
  /\bindexedDB\b/,
  /\bsetTimeout\b/,
  /\bsetInterval\b/,
];

function isPure(path: string): boolean {
  return PURE.some((name) => (name.endsWith('/') ? path.startsWith(name) : path === name));
}

/** Reports names in PURE that match no file. */
function missingPure(sources: readonly Source[]): string[] {
  return PURE.filter((name) => !sources.some(({ path }) => path.startsWith(name))).map(
    (name) => `${name} is listed as a pure module in test/check/imports.ts and does not exist`,
  );
}
