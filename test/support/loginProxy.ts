/**
 * A login proxy in front of the server, such as oauth2-proxy: without its cookie it redirects every request to /login, a
 * websocket too.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
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

/** Before the first `endSessions` it lets everybody through. */
export async function startLoginProxy(upstreamPort: number): Promise<LoginProxy> {
  let session = 0;
  let broken: 502 | 504 | undefined;
  const upgraded = new Set<Duplex>();
  const mayPass = ({ headers }: IncomingMessage) =>
    session === 0 || headers.cookie?.split('; ').includes(cookieOf(session)) === true;
  const forward = ({ method, url, headers }: IncomingMessage) =>
    request({ port: upstreamPort, host: '127.0.0.1', method, path: url, headers, agent: false });

  const proxy = createServer((ask, answer) => {
    if (broken !== undefined) return void answer.writeHead(broken, HTML).end(BROKEN_PAGE);
    if (ask.url === '/login') return login(ask, answer, cookieOf(session));
    if (!mayPass(ask)) return void answer.writeHead(302, { location: '/login' }).end();
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
    if (broken !== undefined)
      return void near.end(`HTTP/1.1 ${broken} Bad\r\nConnection: close\r\n\r\n${BROKEN_PAGE}`);
    if (!mayPass(ask)) return void near.end('HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n');
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
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const cut = () => {
    for (const socket of upgraded) socket.destroy();
    upgraded.clear();
    proxy.closeAllConnections();
  };

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
    async [Symbol.asyncDispose]() {
      proxy.close();
      cut();
    },
  };
}

const HTML = { 'content-type': 'text/html' };
const BROKEN_PAGE = '<html><body><h1>The server is away</h1></body></html>';

const cookieOf = (session: number) => `proxy=${session}`;

/** The login page; its form comes back with a cookie, and leads to the app. */
function login({ method }: IncomingMessage, answer: ServerResponse, cookie: string): void {
  if (method === 'POST')
    answer.writeHead(302, { location: '/?network', 'set-cookie': `${cookie}; Path=/` }).end();
  else
    answer
      .setHeader('content-type', 'text/html')
      .end('<h1>Who are you?</h1><form method="post"><button>Log in</button></form>');
}
