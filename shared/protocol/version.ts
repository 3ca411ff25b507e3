/** The wire's version. A test pins it to a hash of all schemas, so that neither changes without the other looked at. */
export const PROTOCOL = 1;

/** What a client must be able to read to be let in: entries of unknown kinds and with unknown fields, users as objects. */
export const REQUIRED_FEATURE = 'entries2';
