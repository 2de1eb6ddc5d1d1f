// node:net. There are no sockets here; what tells addresses apart is real.

import base from "unenv/node/net";

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const v4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

export function isIPv4(s: unknown): boolean { return v4.test(`${s}`); }
export function isIPv6(s: unknown): boolean { return /^[\da-fA-F:.]+(?:%[\w.-]+)?$/.test(`${s}`) && (URL as any).canParse(`http://[${`${s}`.split("%")[0]}]/`); }
export function isIP(s: unknown): number { return isIPv4(s) ? 4 : isIPv6(s) ? 6 : 0; }

export * from "unenv/node/net";
export default { ...(base as any), isIP, isIPv4, isIPv6 };
