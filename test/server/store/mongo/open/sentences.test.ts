/**
 * The first start on a wrong or limited server: one sentence for each, which says what to do and contains no password. Most
 * servers are fakes on the wire. `now`: the process ends at once, since only a correction helps (exit code 78); `later`: after
 * it has waited, since time may mend it (75).
 */
// @module-tag slow
import dgram from 'node:dgram';
import dns from 'node:dns';
import { once } from 'node:events';
import { BSON, type Document, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { META_ID, VERSION } from '../../../../../server/store/mongo/base/collections.ts';
import { openMongo } from '../../../../../server/store/mongo/index.ts';
import { addressOf, clientOf } from '../../../../../server/store/mongo/open/address.ts';
import { MIGRATION_STEPS } from '../../../../../server/store/mongo/open/migrate.ts';
import { explain } from '../../../../../server/store/mongo/open/unreachable.ts';
import { Unavailable, Unusable } from '../../../../../server/store/port.ts';
import { makeCertificate } from '../../../../support/certificate.ts';
import { freePort } from '../../../../support/mongo/port.ts';
import { temporaryFolder } from '../../../../support/tmp.ts';
import { type FakeServer, fakeServer, primary, rawServer, type Script } from '../fakeServer.ts';
import { silent } from '../harness.ts';

/** How long the driver may look for a primary: longer only where a busy machine needs it for the expected sentence. */
const SELECTION_MS = [400, 1_600, 6_400];

async function says(url: string, kind: 'now' | 'later', expected: string | RegExp): Promise<void> {
  let message = '';
  for (const serverSelectionMs of SELECTION_MS) {
    const patience = { connectForMs: 0, serverSelectionMs };
    const error = await openMongo({ url, log: silent, patience }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    message = (error as Error).message;
    const isExpected = typeof expected === 'string' ? message === expected : expected.test(message);
    if (isExpected) expect(error).toBeInstanceOf(kind === 'now' ? Unusable : Unavailable);
    if (isExpected) break;
  }
  if (typeof expected === 'string') expect(message).toBe(expected);
  else expect(message).toMatch(expected);
  expect(message).toMatch(/^[^\n]+\.$/);
  expect(message).not.toContain('hunter2');
}

async function fake(script: Script): Promise<FakeServer> {
  const server = await fakeServer(script);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

async function raw(...args: Parameters<typeof rawServer>): Promise<FakeServer> {
  const server = await rawServer(...args);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** A server with a certificate of its own, and that certificate as a file. */
async function withCertificate() {
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const { key, cert, certFile } = makeCertificate(folder.path, 'db');
  return { server: await fake({ tls: { key, cert } }), certFile };
}

/** A server that answers all the first commands with this error. */
const refusing = (code: number, errmsg: string) =>
  fake({
    answers: Object.fromEntries(
      ['listCollections', 'saslStart', 'find', 'create'].map((name) => [
        name,
        () => ({ ok: 0, code, errmsg }),
      ]),
    ),
  });

describe('MONGODB_URL itself', () => {
  it.each([
    ['replicaSett=hunter2', '"replicaSett"'],
    ['retryReads=true&retryWritess=true&foo=hunter2', '"retryWritess", "foo"'],
  ])('an option that does not exist (%s), by its name', async (options, names) => {
    await says(
      `mongodb://db/chat?${options}`,
      'now',
      `MONGODB_URL has an option that does not exist (${names}): correct or remove it.`,
    );
  });

  it('a password with an unescaped ? is not named as an option', async () => {
    await says('mongodb://ada:x?hunter2=1@db/chat', 'now', /^MONGODB_URL is not the address/);
  });

  it.each(['admin', 'local', 'config'])('the database %s', async (name) => {
    await says(
      `mongodb://ada:hunter2@db/${name}`,
      'now',
      `The database "${name}" belongs to MongoDB itself: name another one in MONGODB_URL, after the host (where users are kept in "${name}", add authSource=${name}).`,
    );
  });

  it.each(['chat.entries', 'a b', 'x'.repeat(64), 'a$b'])(
    'a name that no database can have (%s)',
    async (name) => {
      await says(
        `mongodb://db/${encodeURIComponent(name)}`,
        'now',
        `"${name}" cannot be the name of a database: name another one in MONGODB_URL, after the host.`,
      );
    },
  );

  it.each([
    [
      'mongodb://ada:hunter2@chat.cluster-abc.eu-central-1.docdb.amazonaws.com:27017/chat',
      'Amazon DocumentDB',
    ],
    ['mongodb://ada:hunter2@chat.abc.us-east-1.docdb-elastic.amazonaws.com/chat', 'Amazon DocumentDB'],
    ['mongodb://ada:hunter2@chat.mongo.cosmos.azure.com:10255/chat?ssl=true', 'Azure Cosmos DB'],
    ['mongodb+srv://ada:hunter2@chat.mongocluster.cosmos.azure.com/chat', 'Azure Cosmos DB'],
  ])('a server that only imitates MongoDB (%s)', async (url, product) => {
    await says(
      url,
      'now',
      new RegExp(` is ${product}, which lacks commands of MongoDB that Holdfast needs: use a replica set`),
    );
  });

  it('a load balancer', async () => {
    await says(
      'mongodb://ada:hunter2@lb/chat?loadBalanced=true',
      'now',
      'MONGODB_URL says that the MongoDB at lb:27017 is behind a load balancer (loadBalanced=true): name the members of a replica set instead.',
    );
  });

  it('a file that is not there', async () => {
    const url = 'mongodb://db/chat?tls=true&tlsCAFile=/nowhere/ca.pem';
    await says(
      url,
      'now',
      /^MONGODB_URL names a file that cannot be read \(ENOENT: .*'\/nowhere\/ca.pem'\): correct it\.$/,
    );
  });
});

describe('a server of another kind', () => {
  it('a sharded cluster', async () => {
    const { setName: _, setVersion: __, hosts: ___, me: ____, ...mongos } = primary('');
    const { me } = await fake({ hello: () => ({ ...mongos, msg: 'isdbgrid' }) });
    await says(
      `mongodb://${me}/chat`,
      'now',
      `The MongoDB at ${me} is a sharded cluster (a mongos): name the members of a replica set in MONGODB_URL instead.`,
    );
  });

  it.each(['', '&directConnection=true'])('another replica set%s', async (direct) => {
    const { me } = await fake({ hello: (me) => ({ ...primary(me), setName: 'rs1' }) });
    await says(
      `mongodb://${me}/chat?replicaSet=rs0${direct}`,
      'now',
      `The replica set at ${me} is called "rs1", not "rs0": correct replicaSet in MONGODB_URL, or the host.`,
    );
  });
});

describe('a way that does not lead there', () => {
  it('nothing listens', async () => {
    const port = await freePort();
    await says(
      `mongodb://ada:hunter2@127.0.0.1:${port}/chat`,
      'later',
      `No MongoDB answers at 127.0.0.1:${port}: start it, or correct MONGODB_URL.`,
    );
  });

  it('members whose names are not known here: the usual case with containers', async () => {
    const { me } = await fake({
      hello: (me) => ({ ...primary(me), hosts: ['mongo1.invalid:27017'], me: 'mongo1.invalid:27017' }),
    });
    await says(
      `mongodb://${me}/chat?replicaSet=rs0`,
      'later',
      /^The replica set "rs0" at [\d.:]+ calls its members mongo1.invalid:27017, and none of them answers under that name here \(.*\): make these names known to this machine, or change them with rs.reconfig\(\)/,
    );
  });

  it('a primary whose name is not known here', async () => {
    const hosts = (me: string) => [me, 'mongo2.invalid:27017'];
    const { me } = await fake({
      hello: (me) => ({ ...secondary(me), hosts: hosts(me), primary: 'mongo2.invalid:27017' }),
    });
    await says(
      `mongodb://${me}/chat?replicaSet=rs0`,
      'later',
      /^The primary of the replica set at [\d.:]+ is mongo2.invalid:27017, which does not answer here \(.*\): make that name/,
    );
  });

  it('a replica set without a primary', async () => {
    const { me } = await fake({ hello: secondary });
    await says(
      `mongodb://${me}/chat?replicaSet=rs0`,
      'later',
      `The replica set at ${me} has no primary: look at rs.status() on one of its members.`,
    );
  });

  it('a member of a replica set that was not initiated', async () => {
    const { me } = await fake({
      hello: () => ({ isreplicaset: true, minWireVersion: 0, maxWireVersion: 21 }),
    });
    await says(
      `mongodb://${me}/chat`,
      'later',
      `The MongoDB at ${me} is not a replica set yet: run rs.initiate() on it once.`,
    );
  });

  it('a certificate that is not trusted', async () => {
    const { server, certFile } = await withCertificate();
    const url = `mongodb://${server.me}/chat?tls=true`;
    await says(
      url,
      'now',
      /^The certificate of the MongoDB at [\d.:]+ is not trusted \(self-signed certificate.*\): name the file of its authority in MONGODB_URL \(tlsCAFile=…\), and connect by a name that is in the certificate\.$/,
    );
    await says(
      `${url}&tlsCAFile=${certFile}`,
      'later',
      /cannot be used \(no such command: 'listCollections'\)/,
    );
    const other = `mongodb://localhost:${server.me.split(':')[1]}/chat?tls=true&tlsCAFile=${certFile}`;
    await says(other, 'now', /\(Hostname\/IP does not match certificate's altnames:/);
  });

  it('TLS to a server that answers without it', async () => {
    const { me } = await raw((socket) => socket.on('data', () => socket.write('this is no TLS')));
    await says(
      `mongodb://${me}/chat?tls=true`,
      'now',
      `The MongoDB at ${me} does not use TLS: remove tls=true from MONGODB_URL.`,
    );
  });

  it('TLS to a server that hangs up', async () => {
    const { me } = await raw((socket) => socket.on('data', () => socket.destroy()));
    await says(
      `mongodb://${me}/chat?tls=true`,
      'later',
      / ends the connection before TLS is agreed on \(.*\): remove tls=true from MONGODB_URL if it uses none/,
    );
  });

  it('no TLS to a server that requires it', async () => {
    const { me } = await raw((socket) => socket.on('data', () => socket.destroy()));
    await says(
      `mongodb://${me}/chat`,
      'later',
      `The MongoDB at ${me} ends every connection: add tls=true to MONGODB_URL if it requires TLS, and look at its log otherwise.`,
    );
  });

  it('an address that is missing in the access list of Atlas, which answers with a TLS alert', async () => {
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 80]); // fatal, internal error
    const { me } = await raw((socket) => socket.on('data', () => socket.end(alert)));
    const client = clientOf(`mongodb://${me}/chat?tls=true`, { serverSelectionTimeoutMS: 400 });
    onTestFinished(() => client.close());
    const error = await client.connect().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MongoServerSelectionError);
    const hosts = 'cluster0.abcde.mongodb.net';
    expect(explain(error, { ...addressOf(client, ''), hosts }, undefined)?.message).toMatch(
      /^MongoDB Atlas does not let this machine reach cluster0.abcde.mongodb.net \(.*alert.*\): add its address to the access list of the project/,
    );
  });

  it.each([
    [
      'a name without a record',
      3,
      'now',
      /^There is no MongoDB called db.chat.example in the DNS \(querySrv ENOTFOUND/,
    ],
    [
      'a DNS server that fails',
      2,
      'later',
      /^The DNS does not answer the question for db.chat.example \(querySrv ESERVFAIL/,
    ],
  ] as const)('mongodb+srv://: %s', async (_, rcode, kind, expected) => {
    const nameServer = await failingNameServer(rcode);
    const before = dns.getServers();
    dns.setServers([nameServer]);
    onTestFinished(() => dns.setServers(before));
    await says('mongodb+srv://ada:hunter2@db.chat.example/chat', kind, expected);
  });
});

describe('a server that refuses', () => {
  it('a command, without a user: it serves only its users', async () => {
    const { me } = await refusing(13, 'command listCollections requires authentication');
    await says(
      `mongodb://${me}/chat`,
      'now',
      `The MongoDB at ${me} serves only its users: write one into MONGODB_URL, like mongodb://USER:PASSWORD@host/chat?authSource=admin.`,
    );
  });

  it('a command to this user', async () => {
    const client = clientOf('mongodb://ada:hunter2@db/chat', {});
    onTestFinished(() => client.close());
    const address = addressOf(client, 'mongodb://ada:hunter2@db/chat');
    const error = new MongoServerError({ code: 13, message: 'not authorized on chat to execute command' });
    expect(explain(error, address, undefined)).toEqual(
      new Unusable(
        'The user of MONGODB_URL may not use the database "chat" at db:27017: give it the role readWrite there.',
      ),
    );
  });

  it.each([
    [
      'bad auth : authentication failed',
      / refuses the user or password of MONGODB_URL \(bad auth : authentication failed\): correct them/,
    ],
    [
      'you are over your space quota, using 513 MB of 512 MB',
      /^MongoDB Atlas at .* refuses what Holdfast needs \(you are over your space quota, using 513 MB of 512 MB\): look at the limits/,
    ],
    [
      'CMD_NOT_ALLOWED: createIndexes',
      / refuses what Holdfast needs \(CMD_NOT_ALLOWED: createIndexes\): look at the limits/,
    ],
  ])('with the code 8000 of Atlas: %s', async (message, expected) => {
    const { me } = await refusing(8_000, message);
    await says(`mongodb://${me}/chat`, 'now', expected);
  });

  it('for want of space on its disk', async () => {
    const { me } = await refusing(14_031, 'Available disk space of 0 bytes is less than required minimum');
    await says(
      `mongodb://${me}/chat`,
      'later',
      `There is no space left on the disk of the MongoDB at ${me}: free some.`,
    );
  });
});

describe('the probe before the server listens', () => {
  const failed = { ok: 0, code: 50, errmsg: 'operation exceeded time limit' };
  const concern = { code: 64, codeName: 'WriteConcernFailed', errmsg: 'waiting for replication timed out' };
  it.each([
    ['open a change stream', 'aggregate', failed],
    ['acknowledge a write by the majority of its members', 'insert', { n: 1, writeConcernError: concern }],
    ['bring a write by its change stream', 'getMore', failed],
    ['answer a linearizable read', 'find', failed],
  ])('names what the server cannot do: %s', async (what, name, answer) => {
    const usual = ofOurDatabase();
    const onlyInProbe = (command: Document) =>
      name === 'getMore' || command[name] === 'ephemeral' ? answer : usual[name]!(command);
    const { me } = await fake({ answers: { ...usual, [name]: onlyInProbe } });
    const why = answer === failed ? failed.errmsg : concern.errmsg;
    await says(
      `mongodb://${me}/chat`,
      'later',
      `The MongoDB at ${me} cannot ${what} (${why}): look at rs.status() and at its log; docs/MONGODB.md says what Holdfast needs.`,
    );
  });

  it('a server without change streams, which time does not mend', async () => {
    const { aggregate: _, ...answers } = ofOurDatabase();
    const { me } = await fake({ answers });
    await says(
      `mongodb://${me}/chat`,
      'now',
      /cannot open a change stream \(no such command: 'aggregate'\): look at/,
    );
  });
});

function secondary(me: string) {
  return { ...primary(me), isWritablePrimary: false, ismaster: false, secondary: true };
}

const STREAM = BSON.Long.fromNumber(31);

/** The answers that opening needs of a server that has a database of Holdfast. */
function ofOurDatabase(): NonNullable<Script['answers']> {
  const steps = MIGRATION_STEPS.length;
  const meta = { _id: META_ID, epoch: 'e', schemaVersion: VERSION, minVersion: VERSION, steps, createdAt: 1 };
  const cursor = (...firstBatch: object[]) => ({ cursor: { id: BSON.Long.ZERO, ns: 'chat.x', firstBatch } });
  return {
    listCollections: () => cursor({ name: 'meta' }),
    find: () => cursor(meta),
    create: () => ({ ok: 0, code: 48, errmsg: 'Collection already exists.' }),
    createIndexes: () => ({}),
    insert: () => ({ n: 1 }),
    aggregate: () => ({ cursor: { id: STREAM, ns: 'chat.ephemeral', firstBatch: [] } }),
    getMore: () => ({ cursor: { id: STREAM, ns: 'chat.ephemeral', nextBatch: [{}] } }),
  };
}

/** A DNS server that answers every question with this code. */
async function failingNameServer(rcode: number): Promise<string> {
  const server = dgram.createSocket('udp4');
  server.on('message', (question, { port, address }) => {
    const answer = Buffer.from(question);
    answer[2]! |= 0x80;
    answer[3] = (answer[3]! & 0xf0) | rcode;
    server.send(answer, port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${server.address().port}`;
}
