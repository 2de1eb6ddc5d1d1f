// node:path/posix.

import { posix } from "./node-path";

export const { sep, delimiter, isAbsolute, normalize, join, resolve, relative, toNamespacedPath, dirname, basename, extname, format, parse, matchesGlob, win32 } = posix;
export { posix };
export default posix;
