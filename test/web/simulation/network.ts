/** The network between a tab and the server. A connection keeps the order of its messages, and may break; HTTP requests are independent. */
import type { Handshake } from '../../../shared/protocol/index.ts';
import { PAST_WORKER } from '../../../web/load/whoAnswers.ts';
import type { RawSocket } from '../../../web/transport/socket.ts';
import type { Ill } from './ill.ts';
import type { Conn, Server } from './server.ts';
import type { World } from './world.ts';

/** A client of the network: a tab or a worker. */
export interface Station {
  name: string;
  /** Runs `work` while the station runs; never, if it is dead. */
  arrive(work: () => void): void;
  isDead(): boolean;
  /** The browser's cookies. */
  jar: { cookie: string | undefined };
  /** It sends an append. */
  emitting(payload: { as: string; items: unknown[] }): void;
  /** It receives the answer to that append. */
  answered(answer: unknown, payload: unknown): void;
  /** It has noticed that its connection ended. */
  disconnected(): void;
}

export interface Network {
  io(station: Station): (options: Record<string, unknown>) => RawSocket;
  fetch(station: Station): typeof globalThis.fetch;
  /** The open connections, to break them. */
  breakSome(how: 'all' | 'one'): void;
  /** Calls `before` right before the next answer to a `range` of this station arrives. */
  beforeAnswer(station: Station, work: () => void): void;
}

interface Deps {
  world: World;
  server: Server;
  ill: Ill;
}

export function createNetwork({ world, server, ill }: Deps): Network {
  const open = new Set<() => void>();
  const beforeAnswers = new Map<Station, () => void>();

  function socket(station: Station, { auth }: { auth: Handshake }): RawSocket {
    const listeners = new Map<string, (payload: unknown) => void>();
    const onPacket: (() => void)[] = [];
    const [up, work, down] = [createLane(), createLane(), createLane()];
    let state: 'new' | 'open' | 'closed' = 'new';
    let conn: Conn | undefined;
    /** The connection is broken; the client may not have noticed. */
    let broken = false;

    const say = (event: string, payload?: unknown) =>
      station.arrive(() => {
        if (state !== 'closed') listeners.get(event)?.(payload);
      });
    const packet = (deliver: () => void) =>
      station.arrive(() => {
        if (state !== 'open') return;
        for (const listener of onPacket) listener();
        deliver();
      });

    function breakIt(silently = ill.silently()): void {
      if (broken) return;
      broken = true;
      open.delete(breakIt);
      if (conn) conn.open = false;
      if (silently) return;
      world.after(ill.latency(), () =>
        station.arrive(() => {
          if (state !== 'open') return;
          state = 'closed';
          station.disconnected();
          listeners.get('disconnect')?.('transport close');
        }),
      );
    }

    function accept(): void {
      if (state !== 'new' || broken) return;
      const answered = (work: () => void) => world.after(ill.latency(), work);
      if (ill.unreachable || !server.up) {
        if (!ill.silently()) answered(() => say('connect_error', new Error('xhr poll error')));
        return;
      }
      const user = server.sessions.get(station.jar.cookie ?? '');
      if (user === undefined || user !== auth.as) {
        const refused = Object.assign(new Error(), { data: { code: 'unauthorized', message: '' } });
        answered(() => say('connect_error', refused));
        return;
      }
      conn = {
        user,
        session: station.jar.cookie!,
        open: true,
        told: new Map(),
        send,
        close: () => breakIt(false),
      };
      open.add(breakIt);
      down.send(() =>
        station.arrive(() => {
          if (state !== 'new') return;
          state = 'open';
          listeners.get('connect')?.(undefined);
        }),
      );
      server.connect(conn, auth);
    }

    function send(event: string, payload: unknown): void {
      const sent = structuredClone(payload);
      if (!conn?.open) return;
      down.send(() => {
        if (broken) return;
        world.note(`${station.name} hears ${event} ${short(sent)}`);
        packet(() => listeners.get(event)?.(sent));
      });
    }

    function receive(event: string, payload: unknown, ack: (answer: unknown) => void): void {
      const mine = conn!;
      const fate = event === 'beat' ? 'arrives' : ill.fate();
      const answer = structuredClone(server.handle({ user: mine.user, conn: mine }, event, payload));
      if (fate === 'unanswered') {
        breakIt();
        return;
      }
      down.send(() => {
        if (broken || !mine.open) return;
        if (event === 'range') {
          beforeAnswers.get(station)?.();
          beforeAnswers.delete(station);
        }
        world.note(`${station.name} hears of its ${event}: ${short(answer)}`);
        packet(() => {
          if (event === 'append') station.answered(answer, payload);
          ack(answer);
        });
      });
    }

    return {
      get connected() {
        return state === 'open';
      },
      io: { engine: { on: (event, listener) => event === 'packet' && onPacket.push(listener) } },
      on: (event, listener) => listeners.set(event, listener),
      connect: () => world.after(ill.latency(), accept),
      disconnect() {
        state = 'closed';
        station.disconnected();
        world.after(ill.latency(), () => breakIt(true)); // messages in flight still arrive
      },
      volatile: { emit() {} }, // hints, which may be lost
      emit(event, ...sent) {
        if (state !== 'open') throw new Error('emitted while not connected');
        if (station.isDead()) return;
        const ack = sent.pop() as (answer: unknown) => void;
        const payload = structuredClone(sent[0]);
        if (event === 'append') station.emitting(payload as never);
        up.send(() => {
          if (broken || ill.unreachable || !server.up) return;
          if (event !== 'beat' && ill.fate() === 'lost') return breakIt();
          const { lives } = server; // a request in progress completes, also if the connection ends
          const answer = () => lives === server.lives && receive(event, payload, ack);
          if (event === 'append') work.send(answer, ill.takes());
          else answer();
        });
      },
    };
  }

  /** Messages arrive in the order in which they were sent. */
  function createLane() {
    let last = 0;
    return {
      send(deliver: () => void, more = 0) {
        last = Math.max(last, world.now() + ill.latency() + more);
        world.after(last - world.now(), deliver);
      },
    };
  }

  function fetchFor(station: Station): typeof globalThis.fetch {
    return (path, init) => {
      if (path === PAST_WORKER) return Promise.reject(new TypeError('Failed to fetch')); // who answers: nobody
      return new Promise((resolve, reject) => {
        const fail = () => station.arrive(() => reject(new TypeError('Failed to fetch')));
        init?.signal?.addEventListener('abort', fail);
        const body = init?.body === undefined ? undefined : JSON.parse(String(init.body));
        const cookie = station.jar.cookie;
        if (path === '/api/append') station.emitting(body);
        world.after(ill.latency() + (path === '/api/append' ? ill.takes() : 0), () => {
          const fate = ill.fate();
          if (ill.unreachable || !server.up || fate === 'lost') return void world.after(20, fail);
          const answer = answerHttp(`${init?.method} ${path}`, cookie, body);
          if (fate === 'unanswered') return void world.after(20, fail);
          world.after(ill.latency(), () => {
            if ('cookie' in answer) station.jar.cookie = answer.cookie; // the cookie is stored in the browser, also if the tab is dead
            station.arrive(() => {
              world.note(`${station.name} hears of its ${path}: ${short(answer.body)}`);
              if (path === '/api/append') station.answered(answer.body, body);
              const text = JSON.stringify(answer.body);
              resolve({ ok: answer.status < 300, status: answer.status, text: async () => text } as Response);
            });
          });
        });
      });
    };
  }

  function answerHttp(what: string, cookie: string | undefined, body: unknown): Answered {
    const user = server.sessions.get(cookie ?? '');
    const session = (id: string) => ({
      user: { id, name: server.names.get(id)!, rev: server.revs.get(id) ?? 0 },
      device: { id },
      hasPassword: true,
      devices: 2,
      features: server.features,
    });
    const unauthorized = { status: 401, body: { ok: false, error: { code: 'unauthorized', message: '' } } };
    switch (what) {
      case 'GET /api/session':
        return user ? { status: 200, body: session(user) } : unauthorized;
      case 'DELETE /api/session':
        if (!user) return unauthorized;
        server.signOut(cookie!);
        return { status: 200, body: { ok: true }, cookie: undefined };
      case 'POST /api/session': {
        const { name, as, password } = body as { name: string; as?: string; password?: string };
        if (as !== undefined && password === undefined) return unauthorized; // the claim has expired
        const [id] = [...server.names].find(([, each]) => each === name) ?? [];
        if (id === undefined) return unauthorized; // the user has another name now
        const fresh = server.newId();
        server.sessions.set(fresh, id);
        return { status: 201, body: session(id), cookie: fresh };
      }
      case 'POST /api/append': {
        if (!user) return unauthorized;
        const answer = server.handle({ user }, 'append', body) as { ok: boolean };
        return { status: answer.ok ? 200 : 503, body: answer };
      }
      default:
        throw new Error(`nobody asks ${what}`);
    }
  }

  return {
    io: (station) => (options) => socket(station, options as { auth: Handshake }),
    fetch: fetchFor,
    beforeAnswer: (station, work) => void beforeAnswers.set(station, work),
    breakSome(how) {
      const all = [...open];
      for (const breakIt of how === 'all' ? all : all.slice(0, 1)) breakIt();
    },
  };
}

/** A short text for the journal. */
function short(payload: unknown): string {
  return JSON.stringify(payload, (key, value) => (key === 'users' || key === 'at' ? undefined : value)).slice(
    0,
    300,
  );
}

interface Answered {
  status: number;
  body: unknown;
  cookie?: string | undefined;
}
