/**
 * A login proxy in front of the server, such as oauth2-proxy: without its cookie it redirects every request to /login, a
 * websocket too. Or a proxy with basic authentication, which answers every request without credentials by 401.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

export interface LoginProxy extends AsyncDisposable {
  readonly url: string;
  /** Ends all sessions at the proxy, and closes what is open. */
  endSessions(): void;
  /** Answers everything with this status and a page of its own, as a proxy does whose server is away; undefined ends that. */
  answerWith(status: 502 | 504 | undefined): void;
  /** The cookie of a new session, as the browser stores it. */
  logIn(): { name: string; value: string; url: string };
}

export interface BasicProxy extends AsyncDisposable {
  readonly url: string;
  /**
   * From now on every request needs these credentials, and the first one that has them is for a document: a browser asks
   * somebody for credentials when it opens a page, and knows them from then on. Closes what is open.
   */
  askFor(credentials: { username: string; password: string }): void;
  /** The paths of the requests that had the right credentials. */
  readonly admitted: readonly string[];
}

/** A proxy with basic authentication in front of everything. Before the first `askFor` it lets everybody through. */
export async function startBasicProxy(upstreamPort: number): Promise<BasicProxy> {
  let wanted: string | undefined;
  const admitted: string[] = [];
  const mayPass = ({ headers, url }: IncomingMessage) => {
    const mayBeKnown = admitted.length > 0 || headers['sec-fetch-mode'] === 'navigate';
    const isRight = wanted !== undefined && mayBeKnown && headers.authorization === wanted;
    if (isRight) admitted.push(url!);
    return isRight || wanted === undefined;
  };
  const { url, cut, dispose } = await startForwarding(upstreamPort, (ask) =>
    mayPass(ask) ? undefined : CHALLENGE,
  );
  return {
    url,
    admitted,
    askFor({ username, password }) {
      wanted = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      cut();
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** Before the first `endSessions` it lets everybody through. */
export async function startLoginProxy(upstreamPort: number): Promise<LoginProxy> {
  let session = 0;
  let broken: 502 | 504 | undefined;
  const mayPass = ({ headers }: IncomingMessage) =>
    session === 0 || headers.cookie?.split('; ').includes(cookieOf(session)) === true;
  const { url, cut, dispose } = await startForwarding(upstreamPort, (ask) => {
    if (broken !== undefined) return { status: broken, headers: HTML, body: BROKEN_PAGE };
    if (ask.url === '/login') return loginPage(ask, cookieOf(session));
    return mayPass(ask) ? undefined : { status: 302, headers: { location: '/login' }, body: '' };
  });
  return {
    url,
    endSessions() {
      session++;
      cut();
    },
    answerWith(status) {
      broken = status;
      cut();
    },
    logIn() {
      const [name, value] = cookieOf(session).split('=') as [string, string];
      return { name, value, url };
    },
    [Symbol.asyncDispose]: dispose,
  };
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A reverse proxy. `answerTo`: what it answers itself; what is undefined there it forwards. */
async function startForwarding(
  upstreamPort: number,
  answerTo: (ask: IncomingMessage) => Answer | undefined,
): Promise<{ url: string; cut(): void; dispose(): Promise<void> }> {
  const upgraded = new Set<Duplex>();
  const forward = ({ method, url, headers }: IncomingMessage) =>
    request({ port: upstreamPort, host: '127.0.0.1', method, path: url, headers, agent: false });

  const proxy = createServer((ask, answer) => {
    const own = answerTo(ask);
    if (own) return void answer.writeHead(own.status, own.headers).end(own.body);
    const onward = forward(ask);
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode!, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    ask.pipe(onward);
  });
  proxy.on('upgrade', (ask: IncomingMessage, near: Duplex) => {
    near.on('error', () => {});
    const own = answerTo(ask);
    if (own) return void near.end(rawOf(own));
    const onward = forward(ask);
    onward.on('error', () => near.destroy());
    onward.on('response', () => near.destroy()); // the server refuses it
    onward.on('upgrade', (response: IncomingMessage, far: Duplex, head: Buffer) => {
      const headers = response.rawHeaders.flatMap((name, i, all) =>
        i % 2 === 0 ? `${name}: ${all[i + 1]}` : [],
      );
      near.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('\r\n')}\r\n\r\n`);
      near.write(head);
      far.on('error', () => near.destroy()).on('close', () => near.destroy());
      near.on('close', () => far.destroy());
      near.pipe(far).pipe(near);
      upgraded.add(near);
    });
    onward.end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const cut = () => {
    for (const socket of upgraded) socket.destroy();
    upgraded.clear();
    proxy.closeAllConnections();
  };
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut,
    async dispose() {
      proxy.close();
      cut();
    },
  };
}

function rawOf({ status, headers, body }: Answer): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${lines.join('')}\r\n${body}`;
}

const HTML = { 'content-type': 'text/html' };
const BROKEN_PAGE = '<html><body><h1>The server is away</h1></body></html>';
const CHALLENGE: Answer = {
  status: 401,
  headers: { 'www-authenticate': 'Basic realm="ward"', ...HTML },
  body: '<h1>Authorization required</h1>',
};

const cookieOf = (session: number) => `proxy=${session}`;

/** The login page; its form comes back with a cookie, and leads to the app. */
function loginPage({ method }: IncomingMessage, cookie: string): Answer {
  if (method === 'POST')
    return { status: 302, headers: { location: '/?network', 'set-cookie': `${cookie}; Path=/` }, body: '' };
  return {
    status: 200,
    headers: HTML,
    body: '<h1>Who are you?</h1><form method="post"><button>Log in</button></form>',
  };
}
