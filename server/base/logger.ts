/**
 * The log: one JSON object per line on standard output. Never contains tokens, passwords, message bodies or cookies. At `debug`
 * there is a line for each request; above, at most one for a request that failed.
 */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './env.ts';

export type { Logger };

export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => describeError(error) },
    // No call logs these on purpose. This protects against objects that are logged as a whole.
    redact: { paths: SECRETS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[secret]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/**
 * An error's own fields may hold what a client sent: those of a failed write to MongoDB are the documents. So only these are
 * written, and without the values that the message about a unique index repeats.
 */
function describeError(error: unknown, causes = CAUSES_MAX): unknown {
  if (!(error instanceof Error)) return withoutValues(String(error));
  const { name, message, stack, cause } = error;
  const fields = error as Error & Record<(typeof CODES)[number], unknown>;
  return {
    type: name,
    message: withoutValues(message),
    stack: withoutValues(stack ?? ''),
    ...Object.fromEntries(CODES.flatMap((code) => (isShort(fields[code]) ? [[code, fields[code]]] : []))),
    ...(cause === undefined || causes === 0 ? {} : { cause: describeError(cause, causes - 1) }),
  };
}

/** An error may be its own cause. */
const CAUSES_MAX = 5;

const CODES = ['code', 'codeName', 'errno', 'syscall', 'errcode'] as const;

function isShort(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value.length <= 100);
}

/** A value may hold braces and blanks, so all goes to the end of the line. */
function withoutValues(text: string): string {
  return text.replaceAll(/dup key: .*/g, 'dup key: {…}');
}

const SECRETS = ['token', 'password', 'current', 'claim', 'cookie', 'authorization', 'body', 'passwordHash'];
