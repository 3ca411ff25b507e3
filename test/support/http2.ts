/** Requests over HTTP/2, as a browser makes them: several on one connection. */
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';

export interface Http2Client {
  session: ClientHttp2Session;
  /** Rejects where the stream is reset. */
  request(headers: OutgoingHttpHeaders, body?: string): Promise<Http2Answer>;
  close(): void;
}

export interface Http2Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Does not verify certificates: tests make their own. */
export function openHttp2(url: string): Http2Client {
  const session = connect(url, { rejectUnauthorized: false });
  session.on('error', () => {});
  return {
    session,
    request: (headers, body) =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers, { endStream: body === undefined });
        const chunks: Buffer[] = [];
        let got: IncomingHttpHeaders = {};
        stream.on('response', (received) => {
          got = received;
        });
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('error', reject);
        stream.on('close', () =>
          got[':status'] === undefined
            ? reject(new Error('no answer'))
            : resolve({ status: Number(got[':status']), headers: got, body: Buffer.concat(chunks) }),
        );
        if (body !== undefined) stream.end(body);
      }),
    close: () => session.destroy(),
  };
}
