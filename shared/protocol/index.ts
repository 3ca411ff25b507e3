/** The schemas and types of protocol 1 (docs/PROTOCOL.md). `up`: from client to server; `down`: from server to client. */
export * from './codes.ts';
export * from './down.ts';
export * from './invite.ts';
export * from './items.ts';
export * from './report.ts';
export * from './session.ts';
export * from './up.ts';
export * from './version.ts';
