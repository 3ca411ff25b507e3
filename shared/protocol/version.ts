/** The wire's version. A test pins it to a hash of all schemas, so that neither changes without the other looked at. */
export const PROTOCOL = 1;
