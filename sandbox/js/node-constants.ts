// node:constants is unenv's, with what it leaves out.

import base from "unenv/node/constants";

export const O_SYMLINK = 2097152, SIGINFO = 29, defaultCipherList = "";
export * from "unenv/node/constants";
export default { ...(base as any), O_SYMLINK, SIGINFO, defaultCipherList };
