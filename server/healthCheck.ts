/**
 * The health check of the container: `node server/healthCheck.ts` exits with 0 if the server in this container answers
 * /readyz with 200, else with 1. It reads the server's settings. It does not verify the certificate, which is for another
 * name than that of the loopback address.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

const { PORT, HOST, TLS_CERT_FILE } = Object.fromEntries(
  Object.entries(process.env).map(([name, value]) => [name, value?.trim() || undefined]),
);
const everyAddress = HOST === undefined || HOST === '0.0.0.0' || HOST === '::';
const options = {
  host: everyAddress ? '127.0.0.1' : HOST,
  port: PORT ?? '3000',
  path: '/readyz',
  rejectUnauthorized: false,
  timeout: 4_000, // below the 5 s of the Dockerfile
};

const request = (TLS_CERT_FILE === undefined ? requestHttp : requestHttps)(options, ({ statusCode }) =>
  process.exit(statusCode === 200 ? 0 : 1),
);
request.on('timeout', () => process.exit(1));
request.on('error', () => process.exit(1));
request.end();
