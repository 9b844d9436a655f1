import { constants, type Stats } from "node:fs";

const permissionsOf = ["---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const typeLetters = new Map([
  [constants.S_IFDIR, "d"],
  [constants.S_IFLNK, "l"],
]);

/** A line as `ls -ln` prints it, always with the time of day. */
export function longName(name: string, { mode, nlink, uid, gid, size, mtimeMs }: Stats): string {
  const type = typeLetters.get(mode & constants.S_IFMT) ?? "-";
  const permissions = [mode >> 6, mode >> 3, mode].map((bits) => permissionsOf[bits & 7]).join("");
  const date = new Date(mtimeMs);
  const day = `${months[date.getMonth()]} ${padded(date.getDate(), 2)}`;
  const time = `${padded(date.getHours(), 2, "0")}:${padded(date.getMinutes(), 2, "0")}`;
  const owner = `${padded(uid, 8)} ${padded(gid, 8)}`;
  return `${type}${permissions} ${padded(nlink, 4)} ${owner} ${padded(size, 8)} ${day} ${time} ${name}`;
}

function padded(value: number, width: number, filler = " "): string {
  return String(value).padStart(width, filler);
}
