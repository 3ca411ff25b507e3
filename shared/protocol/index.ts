/** Protocol 1: see docs/PROTOCOL.md. `up` is what clients say, `down` what servers say. */
export * from './codes.ts';
export * from './down.ts';
export * from './errors.ts';
export * from './items.ts';
export * from './session.ts';
export * from './up.ts';
export * from './version.ts';
