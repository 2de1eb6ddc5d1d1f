// node:fs/promises.

import { promises } from "./node-fs";

export default promises;
export const {
  access, appendFile, chmod, chown, constants, copyFile, cp, lchmod, lchown, link, lstat, lutimes, mkdir, mkdtemp, open, opendir, readFile, readdir, readlink, realpath, rename, rm, rmdir, stat, statfs,
  symlink, truncate, unlink, utimes, writeFile,
}: any = promises;
