/** The log: one JSON object per line on standard output. Never contains tokens, passwords, message bodies or cookies. */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './env.ts';

export type { Logger };

export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // No call logs these on purpose. This protects against objects that are logged as a whole.
    redact: { paths: SECRETS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[secret]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

const SECRETS = ['token', 'password', 'current', 'claim', 'cookie', 'authorization', 'body', 'passwordHash'];
