/**
 * The order of the folders: a file imports from its own folder and from folders above it in this list, never from one below.
 * Types, dynamic imports, re-exports and thread scripts count as imports. So there is no circle between folders.
 * Add a folder here in the commit that makes it.
 */
import { posix } from 'node:path';
import { importsOf, type Source } from './sources.ts';

/** Lowest first. `server` and `web` are the files directly in these folders. */
export const LAYERS: Record<string, string> = {
  shared: 'What server and page share: entries, the table of kinds, ids, limits, text rules, the fold.',
  'shared/protocol': 'The schemas of everything on the wire, and the types inferred from them.',

  'server/base': 'What every folder of the server may use: errors, timeouts, logger, metrics, settings.',
  'server/store': 'The port: what the server needs of a database.',
  'server/store/sqlite': 'The port on one SQLite file, for one process.',
  'server/store/mongo/append': 'The append algorithm on MongoDB, pure.',
  'server/store/mongo/base':
    'What the files of this adapter share: collections, documents, database errors, queries.',
  'server/store/mongo/devices': 'Devices as documents of their own, and the move there from user documents.',
  'server/store/mongo/tail': 'The change stream of all rooms, its gaps and their repair.',
  'server/store/mongo/open': 'Connects, checks and migrates the database.',
  'server/store/mongo': 'The port on a MongoDB replica set, for many processes.',
  'server/limits': 'Token buckets, and the semaphore with a fair queue.',
  'server/auth': 'Users, devices, sessions, passwords, cookies.',
  'server/request':
    'What HTTP and Socket.IO share of a request: origin, client address, credentials, deadline.',
  'server/rooms': 'The list of rooms, and who may read and write where.',
  'server/ingest': 'The only writer of entries: checks, limits, batches.',
  'server/feed':
    'The only reader of committed entries: follows the tail, catches up, fans out to recipients.',
  'server/realtime': 'Socket.IO: handshake, requests, which sockets are in which rooms.',
  'server/operators': 'The namespace `/admin`: who may come in, and what it shows.',
  'server/http': 'Koa: the page, sessions, the same requests over HTTP, health.',
  server: 'The server process: composes the folders above.',
  'server/backup': 'The commands `npm run backup` and `npm run restore`.',
  'server/upgrade': 'The command `npm run finish-upgrade`.',
  'server/keeper': 'The command `npm run keeper`.',
  'server/adminPassword': 'The command `npm run admin-password`.',
  'server/migrate': 'The command `npm run migrate`: moves a SQLite database to MongoDB.',

  'web/records': 'Types and pure functions of what the page stores: rows, spans, reasons, changes.',
  'web/load': 'Fetches the lazy chunks, and finds out who answers where that fails.',
  'web/db': 'IndexedDB: schema, opening and reopening, eviction, changes between tabs.',
  'web/transport': 'When to be connected (pure), the socket, HTTP calls.',
  'web/log/store': 'Stores entries and spans of the logs.',
  'web/log/read': 'Reads the window of a log that is on the screen.',
  'web/log/fetch': 'What to request, when, and what to do with the answer.',
  'web/outbox': 'Texts that wait to be sent: the state machine (pure), the drain, amendments.',
  'web/engine': 'What is loaded after the first paint: sync, drain, schemas, socket.',
  'web/state': 'The client behind the screen: what it shows and what a person can do.',
  'web/i18n': 'The texts of the app in each language.',
  'web/view/parts': 'Components and hooks that several views use: icons, inputs, the route, the context.',
  'web/view/sheet': 'The sheets: dialogs over the screen.',
  'web/view/menu':
    'What the log needs after the first paint: the menu of a message, keys, read marker, announcements.',
  'web/view': 'The screen.',
  'web/sw': 'The service worker: the app without a network, and background sending.',
  web: 'Starts the page.',
};

export function layerProblems(sources: readonly Source[]): string[] {
  return problemsOfOrder(sources, Object.keys(LAYERS));
}

/** Pure. `order`: all folders, lowest first. */
export function problemsOfOrder(sources: readonly Source[], order: readonly string[]): string[] {
  const rank = new Map(order.map((folder, index) => [folder, index]));
  const folders = new Set(sources.map(({ path }) => posix.dirname(path)));
  const unlisted = [...folders].filter((folder) => !rank.has(folder));
  const empty = order.filter((folder) => !folders.has(folder));
  return [
    ...unlisted.map((folder) => `${folder} is a folder that test/check/layers.ts does not list`),
    ...empty.map((folder) => `${folder} is listed in test/check/layers.ts and has no file: remove it there`),
    ...sources.flatMap((source) =>
      importsOf(source).flatMap(({ target }) => {
        const [from, to] = [posix.dirname(source.path), posix.dirname(target ?? '')];
        const isUpwards = (rank.get(to) ?? -1) > (rank.get(from) ?? Number.POSITIVE_INFINITY);
        return isUpwards
          ? `${source.path} imports ${target}: ${from} is below ${to} (test/check/layers.ts)`
          : [];
      }),
    ),
  ];
}
