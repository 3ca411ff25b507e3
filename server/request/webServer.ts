/**
 * The server of HTTP. With a certificate one port speaks HTTP/2 and HTTP/1.1, and TLS negotiates which (ALPN): browsers load
 * files by HTTP/2 and open WebSockets by HTTP/1.1. Without a certificate it is HTTP/1.1, as no browser speaks HTTP/2 in plain text.
 */
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type ServerHttp2Session,
} from 'node:http2';
import type { Tls } from '../base/env.ts';
import {
  HEADERS_MAX_BYTES,
  HEADERS_WITHIN_MS,
  KEEP_ALIVE_MS,
  REQUEST_WITHIN_MS,
  STREAMS_PER_CONNECTION,
} from '../base/serverLimits.ts';

export type WebServer = HttpServer | Http2SecureServer;

/** `listener`: gets requests of both versions; those of HTTP/2 by Node's compatibility API. */
export function createWebServer(
  tls: Pick<Tls, 'cert' | 'key'> | undefined,
  listener: RequestListener,
): WebServer {
  if (!tls) return createServer(HTTP_OPTIONS, listener);
  const options = { ...HTTP_OPTIONS, ...HTTP2_OPTIONS, ...tls };
  return createSecureServer(options, listener as unknown as Parameters<typeof createSecureServer>[1]);
}

/** Options of `http.createServer`, and of HTTP/1.1 in `http2.createSecureServer`. */
export const HTTP_OPTIONS = {
  keepAliveTimeout: KEEP_ALIVE_MS,
  headersTimeout: HEADERS_WITHIN_MS,
  requestTimeout: REQUEST_WITHIN_MS,
  connectionsCheckingInterval: 1_000,
  /** Of TLS. */
  handshakeTimeout: HEADERS_WITHIN_MS,
};

/** Node and nghttp2 bound the rest: invalid frames, acknowledgements that wait, the size of the tables for headers. */
const HTTP2_OPTIONS = {
  allowHTTP1: true,
  settings: {
    maxConcurrentStreams: STREAMS_PER_CONNECTION,
    maxHeaderListSize: HEADERS_MAX_BYTES,
    enablePush: false,
  },
  /** Streams above `maxConcurrentStreams`, before the client knows of it or against it; then the connection is closed. */
  maxSessionRejectedStreams: STREAMS_PER_CONNECTION,
};

/** Of HTTP/1.1. Node's types do not know it for a server of both. */
export function closeIdleConnections(http: WebServer): void {
  (http as HttpServer).closeIdleConnections();
}

/** The connection of a request in HTTP/2; undefined in HTTP/1.1, and when the connection is closed. */
export function sessionOf(request: IncomingMessage): ServerHttp2Session | undefined {
  const { stream } = request as unknown as Partial<Http2ServerRequest>;
  return stream?.session as ServerHttp2Session | undefined;
}
