/** The version of the protocol. A test pins it to a hash of all schemas: if they change, decide whether it must grow. */
export const PROTOCOL = 1;

/** The feature that a client must have to connect: it reads entries with unknown kinds and fields, and users as objects. */
export const REQUIRED_FEATURE = 'entries2';
