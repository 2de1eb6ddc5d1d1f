// node:dns/promises is unenv's, with the numbers that it leaves out.

import base from "unenv/node/dns/promises";

export const ADDRCONFIG = 1024, ALL = 256, V4MAPPED = 2048;
export * from "unenv/node/dns/promises";
export default { ...(base as any), ADDRCONFIG, ALL, V4MAPPED };
