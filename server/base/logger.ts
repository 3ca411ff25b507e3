/** The log: one JSON object a line on standard output. Tokens, passwords, bodies and cookies never stand in it. */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './env.ts';

export type { Logger };

export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // Nobody logs these on purpose. This is for the object that one day is logged whole.
    redact: { paths: SECRETS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[secret]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

const SECRETS = ['token', 'password', 'current', 'claim', 'cookie', 'authorization', 'body', 'passwordHash'];
